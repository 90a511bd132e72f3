/**
 * Proves that the simulation can fail: `npm run simulate:faults` builds the engine once for each deliberate fault of
 * `test/simulation/faults.mjs` and tells stories until one breaks a promise, first the one that did so before, or a short
 * one. A fault that survives is an error.
 */
import { faults } from '../test/simulation/faults.mjs';
import { countOf, optionsOf, refuse } from './command-line.mjs';
import { loadSimulation } from './simulation/load.mjs';

const USAGE = `npm run simulate:faults -- [options]
  --seeds 2000     so many stories for each fault, at most
  --only idleFor   the faults whose names hold this`;
const values = optionsOf(USAGE, { seeds: { type: 'string', default: '2000' }, only: { type: 'string' } });
const limit = countOf(values, 'seeds', USAGE);
const chosen = faults.filter(({ name }) => values.only === undefined || name.includes(values.only));
if (chosen.length === 0) refuse(`There is no fault with "${values.only}" in its name.`, USAGE);
let caught = 0;

for (const fault of chosen) {
  const outcome = await firstBroken(fault);
  if (outcome) caught++;
  console.log(
    `${fault.name.padEnd(75)} ${outcome ? `${fault.story ? 'a short story' : `seed ${outcome.seed}`}: ${outcome.broken.message}` : 'SURVIVED'}`,
  );
}
console.log(`\n${caught} of ${chosen.length} faults were caught within ${limit} seeds each.`);
process.exit(caught === chosen.length ? 0 : 1);

async function firstBroken(fault) {
  const { simulate: simulateOne, simulateProcesses, simulateShortStory } = await loadSimulation(fault);
  const simulate = fault.processes ? simulateProcesses : simulateOne;
  const known = await (fault.story === undefined ? simulate(fault.seed) : simulateShortStory(fault.story));
  if (known.broken) return known;
  for (let seed = 1; seed <= limit; seed++) {
    const outcome = await simulate(seed);
    if (outcome.broken) return outcome;
  }
  return undefined;
}
