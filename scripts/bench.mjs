/** Compiles the library and the benchmarks with the settings it is published with, and runs them: `npm run bench`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (program, ...args) => spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

process.exitCode =
  run(join('node_modules', '.bin', 'tsc'), '--project', 'bench/tsconfig.build.json') ||
  run(process.execPath, 'dist/bench/bench/main.js', ...process.argv.slice(2));
