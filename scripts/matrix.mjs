/**
 * Runs the suites over HTTP, on both adapters, against the oldest and newest Nest and each Node that can be had:
 * `npm run matrix`, or a part of it: `npm run matrix -- --nest 11 --node 20,24 --specs passport,service`.
 *
 * Everything is installed in a scratch folder and removed at the end, unless `--keep` is given. A combination whose Node is
 * not to be had for this machine is shown as such, and is no failure as long as another ran.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withNest } from './matrix/nest-versions.mjs';
import { nodeOf } from './matrix/node-versions.mjs';
import { tableOf } from './matrix/table.mjs';
import { optionsOf } from './command-line.mjs';
import { countsIn, jestArguments } from './jest-run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const LEFT_BEHIND = ['node_modules', '.git', 'package-lock.json'];

const USAGE = `npm run matrix -- [options]
  --nest 11.0.1,12   these versions of Nest (11.0.1,11,12)
  --node 20,24       these of Node (20.19.0,20,22,24)
  --specs passport   only specs whose paths hold this
  --workers 1        so many at once (2)
  --keep             leave the scratch folder`;
const values = optionsOf(USAGE, {
  // 11.0.1 is what the oldest GraphQL, Swagger and Apollo for Nest 11 ask for.
  nest: { type: 'string', default: '11.0.1,11,12' },
  // The oldest that package.json allows, and the newest of each.
  node: { type: 'string', default: '20.19.0,20,22,24' },
  specs: { type: 'string', default: '' },
  workers: { type: 'string', default: '2' },
  keep: { type: 'boolean', default: false },
});
const [nests, nodes, specs] = [values.nest, values.node, values.specs].map((list) =>
  list.split(',').filter(Boolean),
);

const scratch = mkdtempSync(join(tmpdir(), 'matrix-'));
const startedAt = performance.now();
try {
  say(`Building; everything else happens in ${scratch}`);
  if (run('npm', ['run', '--silent', 'build'], root) !== 0) throw new Error('the build failed');
  const results = nests.flatMap(tryNest);
  report(results);
} finally {
  if (!values.keep) rmSync(scratch, { recursive: true, force: true });
}

function tryNest(nest) {
  const project = join(scratch, `nest-${nest}`);
  say(`Nest ${nest}: installing`);
  const installed = install(project, nest);
  return nodes.map((wanted) => {
    const node = nodeOf(wanted, scratch);
    const name = node?.version ?? wanted;
    if (!node) return { nest: installed ?? nest, node: name, outcome: 'no such Node here' };
    if (!installed) return { nest, node: name, outcome: 'not installed', isFailure: true };
    say(`Nest ${installed} on Node ${name}: testing`);
    return { nest: installed, node: name, ...test(project, node) };
  });
}

/** @returns the version of Nest that is there now; nothing if it could not be installed */
function install(project, nest) {
  cpSync(root, project, {
    recursive: true,
    filter: (path) => dirname(path) !== root.replace(/\/$/, '') || !LEFT_BEHIND.includes(basename(path)),
  });
  const file = join(project, 'package.json');
  const description = JSON.parse(readFileSync(file, 'utf8'));
  const devDependencies = withNest(description.devDependencies, nest);
  writeFileSync(file, JSON.stringify({ ...description, devDependencies }));
  // Some packages of Nest 11 name the Nest before as the one that they go with.
  const npm = ['install', '--force', '--no-audit', '--no-fund', '--loglevel', 'error'];
  if (run('npm', npm, project) !== 0) return undefined;
  const core = join(project, 'node_modules', '@nestjs', 'core', 'package.json');
  return JSON.parse(readFileSync(core, 'utf8')).version;
}

function test(project, { program }) {
  const counts = join(project, 'counts.json');
  rmSync(counts, { force: true });
  const status = run(program, jestArguments(['e2e', 'fastify'], values.workers, ...specs), project, {
    JEST_COUNT_FILE: counts,
    PATH: `${dirname(program)}${delimiter}${process.env.PATH}`,
  });
  const { passed, failed, notRun } = countsIn(counts);
  const isFailure = status !== 0 || failed + notRun > 0 || passed === 0;
  return { outcome: `${passed} passed, ${failed + notRun} failed`, passed, isFailure };
}

function report(results) {
  console.log(`\n${tableOf(results)}`);
  const ran = results.filter(({ passed }) => passed !== undefined).length;
  say(`${ran} of ${results.length} combinations ran`);
  if (ran === 0 || results.some(({ isFailure }) => isFailure)) process.exitCode = 1;
}

function run(program, args, cwd, environment = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) console.error(error.message);
  return status;
}

function say(line) {
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(`\n== ${minutes} min: ${line}`);
}
