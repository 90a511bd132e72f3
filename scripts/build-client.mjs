// Builds the browser side into dist/client: the script tag's file, the ESM entries, and their declarations.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

/** Private members of classes are renamed by the minifier; nothing else is mangled. */
const common = {
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  outdir: 'dist/client',
};

await Promise.all([
  build({ ...common, format: 'iife', entryPoints: { client: 'client/auto.ts' } }),
  build({
    ...common,
    format: 'esm',
    sourcemap: true,
    entryPoints: { index: 'client/index.ts', headless: 'client/headless.ts' },
  }),
]);

const declarations = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'client/tsconfig.json'],
  {
    stdio: 'inherit',
  },
);
process.exitCode = declarations.status ?? 1;
