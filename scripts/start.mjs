/** Builds the library, the browser side and the sample, and runs the sample: `npm start`. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

console.log('Building the library, its browser side and the sample …');
build('npm', 'run', '--silent', 'build');
build(join('node_modules', '.bin', 'tsc'), '--project', 'sample/tsconfig.build.json');
cpSync(join(root, 'sample', 'public'), join(root, 'dist', 'sample', 'public'), { recursive: true });

// In this process, so that Ctrl+C reaches the application itself.
await import('../dist/sample/main.js');

function build(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`${[program, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}
