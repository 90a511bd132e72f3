/**
 * The test command: `npm test`, or a part of it: `npm test -- --only lint,unit`.
 *
 * The static steps stop the run when they fail; the test phases all run, so that one run shows every failure. The last
 * line of a run is `N passed, N failed`. A test that did not run is a failure too: nothing is skipped silently.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = new URL('..', import.meta.url);
const bin = (name) => join('node_modules', '.bin', name);

const staticSteps = [
  { name: 'format', commandLine: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', commandLine: [bin('eslint'), '--max-warnings', '0', '.'] },
  { name: 'types', commandLine: [bin('tsc'), '--noEmit', '--project', 'tsconfig.json'] },
  { name: 'build', commandLine: ['npm', 'run', '--silent', 'build'] },
  { name: 'size', commandLine: [process.execPath, 'scripts/check-size.mjs'] },
  { name: 'docs', commandLine: [process.execPath, 'scripts/docs.mjs'] },
  { name: 'provision', commandLine: [process.execPath, 'scripts/provision.mjs'] },
];

const testPhases = [
  { names: ['unit', 'e2e', 'fastify', 'simulation'], workers: 2 },
  // They mostly wait, for Chromium and for time.
  { names: ['browser', 'redis'], workers: 2 },
  // Apart from all that keeps the machine busy: what they measure is time, and nearly all they do is wait for it.
  { names: ['stories'], workers: 3 },
];

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const wanted = chosen(values.only);

for (const step of staticSteps.filter(({ name }) => wanted.includes(name))) {
  const { status, seconds } = run(step.name, step.commandLine);
  if (status !== 0) stop(`${step.name} failed after ${seconds} s: the tests were not run.`);
}
const phases = testPhases
  .map(({ names, workers }) => ({ names: names.filter((name) => wanted.includes(name)), workers }))
  .filter(({ names }) => names.length > 0);
if (phases.length > 0) report(phases.map(runTests));

function chosen(only) {
  const known = [...staticSteps.map(({ name }) => name), ...testPhases.flatMap(({ names }) => names)];
  const names = only?.flatMap((value) => value.split(',')) ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) stop(`There is no step "${unknown}"; there are ${known.join(', ')}.`);
  return names;
}

function runTests({ names, workers }) {
  const folder = mkdtempSync(join(tmpdir(), 'jest-count-'));
  const countFile = join(folder, 'counts.json');
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    ...names,
    '--maxWorkers',
    String(workers),
  ];
  const reporters = ['--reporters', 'default', '--reporters', './scripts/jest-count-reporter.mjs'];
  const nodeOptions = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const { status } = run(names.join(', '), [process.execPath, ...nodeOptions, ...jest, ...reporters], {
    JEST_COUNT_FILE: countFile,
  });
  const counts = countsIn(countFile);
  rmSync(folder, { recursive: true });
  // jest may fail for another reason than a test, and that must not look like success.
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function countsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, notRun: 0 };
  }
}

function report(counts) {
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  const [passed, notRun] = [sum('passed'), sum('notRun')];
  const failed = sum('failed') + notRun;
  if (notRun > 0) console.log(`\n${notRun} tests did not run; they count as failed.`);
  if (passed + failed === 0) console.log('\nNo test ran.');
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
}

function run(name, [program, ...args], environment = {}) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) console.error(error.message);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
  return { status, seconds };
}

function stop(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
