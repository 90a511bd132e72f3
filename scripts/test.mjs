/**
 * The test command: `npm test`, or a part of it: `npm test -- --only lint,unit`.
 *
 * The static steps stop the run when they fail; the test phases all run, so that one run shows every failure. The last
 * line of a run is `N passed, N failed`. A test that did not run is a failure too: nothing is skipped silently.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = new URL('..', import.meta.url);
const bin = (name) => join('node_modules', '.bin', name);

/** What stands in one line has nothing to do with each other, and runs at the same time. */
const staticSteps = [
  [
    { name: 'lint', commandLine: [bin('eslint'), '--max-warnings', '0', '.'] },
    { name: 'types', commandLine: [bin('tsc'), '--noEmit', '--project', 'tsconfig.json'] },
    { name: 'format', commandLine: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  ],
  [{ name: 'build', commandLine: ['npm', 'run', '--silent', 'build'] }],
  [
    { name: 'size', commandLine: [process.execPath, 'scripts/check-size.mjs'] },
    { name: 'docs', commandLine: [process.execPath, 'scripts/docs.mjs'] },
  ],
  [{ name: 'provision', commandLine: [process.execPath, 'scripts/provision.mjs'] }],
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

for (const group of staticSteps) {
  const steps = group.filter(({ name }) => wanted.includes(name));
  const ended = steps.length === 1 ? steps.map(run) : await Promise.all(steps.map(runBeside));
  const failed = ended.filter(({ status }) => status !== 0).map(({ name }) => name);
  if (failed.length > 0) stop(`Failed: ${failed.join(', ')}. The tests were not run.`);
}
const phases = testPhases
  .map(({ names, workers }) => ({ names: names.filter((name) => wanted.includes(name)), workers }))
  .filter(({ names }) => names.length > 0);
if (phases.length > 0) report(phases.map(runTests));

function chosen(only) {
  const known = [...staticSteps.flat().map(({ name }) => name), ...testPhases.flatMap(({ names }) => names)];
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
  const commandLine = [process.execPath, ...nodeOptions, ...jest, ...reporters];
  process.env.JEST_COUNT_FILE = countFile;
  const { status } = run({ name: names.join(', '), commandLine });
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

/** Runs a step beside others; what it prints comes in one piece when it ends. */
async function runBeside({ name, commandLine: [program, ...args] }) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const step = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [step.stdout, step.stderr]) stream.on('data', (data) => printed.push(data));
  const status = await new Promise((resolve) => {
    step.on('error', (error) => {
      printed.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    step.on('close', resolve);
  });
  process.stdout.write(Buffer.concat(printed));
  sayEnd(name, status, startedAt);
  return { name, status };
}

function run({ name, commandLine: [program, ...args] }) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  sayEnd(name, status, startedAt);
  return { name, status };
}

function sayEnd(name, status, startedAt) {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
}

function stop(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
