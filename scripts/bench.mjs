/** Compiles the library and the benchmarks with the settings it is published with, and runs them: `npm run bench`. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (program, ...args) => spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

const compiled = run(join('node_modules', '.bin', 'tsc'), '--project', 'bench/tsconfig.build.json');
// The library reads its scripts for Redis from beside itself.
const scripts = join('lib', 'redis', 'scripts');
cpSync(join(root, scripts), join(root, 'dist', 'bench', scripts), { recursive: true });
process.exitCode = compiled || run(process.execPath, 'dist/bench/bench/main.js', ...process.argv.slice(2));
