import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { SessionSecurityOptions } from '../../../lib/index.js';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** Name and default of each row of the table, as they are written there. */
function optionsInTable(): Record<string, string> {
  const section = readme.split('\n## Options\n')[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| `(\w+)` +\| +(`.+?`|–) +\|/gm)];
  return Object.fromEntries(rows.map(([, name, value]) => [name!, value!]));
}

test("the README's table names exactly the options that there are, with their defaults", () => {
  const options = Object.entries(new SessionSecurityOptions()).map(([name, value]) => [
    name,
    value === undefined ? '–' : `\`${inspect(value)}\``,
  ]);

  expect(optionsInTable()).toEqual(Object.fromEntries(options));
});
