/** What is given to a command: read, checked, and explained where it makes no sense. */
import { parseArgs } from 'node:util';

/**
 * The options of a command, as `parseArgs` reads them. `--help` prints the usage; what is unknown prints it too and ends
 * with code 2.
 *
 * @param {string} usage a line for each option
 * @param {import('node:util').ParseArgsConfig['options'] & object} options
 */
export function optionsOf(usage, options) {
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } }));
  } catch (error) {
    refuse(error.message, usage);
  }
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  return values;
}

/** A whole number from 1 on; anything else would let a command do nothing and call that a success. */
export function countOf(values, name, usage) {
  if (!/^[1-9]\d*$/.test(values[name]))
    refuse(`--${name} must be a whole number from 1 on, not "${values[name]}".`, usage);
  return Number(values[name]);
}

/** Says what is wrong and how it is done. */
export function refuse(problem, usage) {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}
