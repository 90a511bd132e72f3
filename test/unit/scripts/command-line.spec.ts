import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const simulate = fileURLToPath(new URL('../../../scripts/simulate.mjs', import.meta.url));

it.each([
  ['an option that there is not', ['--seads', '5'], "Unknown option '--seads'"],
  ['a number that is none', ['--seeds', 'many'], '--seeds must be a whole number from 1 on, not "many".'],
  ['nothing to do', ['--seeds', '0'], '--seeds must be a whole number from 1 on, not "0".'],
  ['a step that leads nowhere', ['--step', '-1'], '--step'],
])('a command that is given %s says so, and how it is used', async (_, given, problem) => {
  const refused = { code: 2, stderr: expect.stringContaining(problem) };
  await expect(promisify(execFile)(process.execPath, [simulate, ...given])).rejects.toMatchObject(refused);
});

it('a command that is asked for help tells its options', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [simulate, '--help']);
  expect(stdout).toContain('npm run simulate -- [options]');
});
