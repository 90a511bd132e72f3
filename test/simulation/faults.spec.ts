import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { faults } from './faults.mjs';

const root = new URL('../../', import.meta.url);
/** Seconds, as long as the story that each fault names still catches it; else others have to be told. */
const LIMIT_MS = 900_000;

it.each(faults)('the deliberate fault "$name" still fits the sources', ({ changes }) => {
  for (const { file, from } of changes) {
    const source = readFileSync(new URL(file, root), 'utf8');
    expect(source.split(from)).toHaveLength(2);
  }
});

it(
  'the simulation catches every deliberate fault',
  () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['scripts/simulate-faults.mjs'], {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
    });
    expect(stdout + stderr).toContain(`${faults.length} of ${faults.length} faults were caught`);
  },
  LIMIT_MS,
);
