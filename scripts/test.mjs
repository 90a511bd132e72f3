/**
 * The test command: `npm test`, or a part of it: `npm test -- --only lint,unit`.
 *
 * The static steps stop the run when they fail; the test phases all run, so that one run shows every failure. The last
 * line of a run is `N passed, N failed`. A test that did not run is a failure too: nothing is skipped silently.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { optionsOf } from './command-line.mjs';
import { countsIn, jestArguments } from './jest-run.mjs';

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

/** The lines of a phase run at the same time; what stands in one line, one after the other. */
const testPhases = [
  [[{ names: ['unit', 'e2e', 'fastify'], workers: 2 }]],
  [
    // Chromium and Redis mostly wait for time. The stories measure it, and nearly all they do is wait for it, too.
    [
      { names: ['browser', 'redis'], workers: 3 },
      { names: ['stories'], workers: 3 },
    ],
    // Takes what they leave of the processors, which they get back at once.
    [{ names: ['simulation'], workers: 1, niceness: 10 }],
  ],
];

const USAGE = `npm test -- [options]
  --only unit,redis   these steps alone`;
const { only } = optionsOf(USAGE, { only: { type: 'string', multiple: true } });
const wanted = chosen(only);

for (const group of staticSteps) {
  const steps = await runAll(group.filter(({ name }) => wanted.includes(name)));
  const failed = steps.filter(({ status }) => status !== 0).map(({ name }) => name);
  if (failed.length > 0) stop(`Failed: ${failed.join(', ')}. The tests were not run.`);
}
const counts = [];
for (const phase of testPhases) {
  const lines = phase.map((line) => line.map(wantedOf).filter(({ names }) => names.length > 0));
  counts.push(...(await runTests(lines.filter((line) => line.length > 0))));
}
if (counts.length > 0) report(counts);

function chosen(only) {
  const known = [
    ...staticSteps.flat().map(({ name }) => name),
    ...testPhases.flat(2).flatMap(({ names }) => names),
  ];
  const names = only?.flatMap((value) => value.split(',')) ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) stop(`There is no step "${unknown}"; there are ${known.join(', ')}.`);
  return names;
}

/** Without the projects that were not asked for. */
function wantedOf({ names, ...run }) {
  return { names: names.filter((name) => wanted.includes(name)), ...run };
}

async function runTests(lines) {
  const folder = mkdtempSync(join(tmpdir(), 'jest-count-'));
  const steps = lines.map((line) =>
    line.map(({ names, workers, niceness }) => ({
      name: names.join(', '),
      commandLine: [process.execPath, ...jestArguments(names, workers)],
      niceness,
      countFile: join(folder, `${names[0]}.json`),
    })),
  );
  const counts = (await runLines(steps)).map(({ status, countFile }) => {
    const counted = countsIn(countFile);
    // jest may fail for another reason than a test, and that must not look like success.
    return status !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
  });
  rmSync(folder, { recursive: true });
  return counts;
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

/** Runs steps at the same time. */
function runAll(steps) {
  return runLines(steps.map((step) => [step]));
}

/**
 * Runs lines of steps at the same time. What the first line prints is seen at once, of each other step in one piece when it
 * ends.
 */
async function runLines(lines) {
  const results = lines.map(async (line, index) => {
    const done = [];
    for (const step of line) done.push(await run(step, index > 0));
    return done;
  });
  return (await Promise.all(results)).flat();
}

async function run(step, isBesideOthers) {
  const { name, commandLine, niceness, countFile } = step;
  const [program, ...args] = commandLine;
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, JEST_COUNT_FILE: countFile },
    stdio: isBesideOthers ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => printed.push(data));
  const status = await new Promise((resolve) => {
    if (niceness > getPriority()) child.on('spawn', () => setPriority(child.pid, niceness));
    child.on('error', (error) => {
      printed.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.on('close', resolve);
  });
  process.stdout.write(Buffer.concat(printed));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
  return { ...step, status };
}

function stop(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
