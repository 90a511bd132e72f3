// Builds the browser side into dist/client: the script tag's file, the ESM entries, and their declarations.
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { bundleClient } from './bundle-client.mjs';
import { readLanguages } from './client-languages.mjs';

const OUT = 'dist/client';

/** The ESM entries carry source maps for the bundlers that take them in; a script tag's would only be a failed request. */
const OUTPUTS = [
  { file: 'client.js', entry: 'client/auto.ts', format: 'iife' },
  { file: 'index.js', entry: 'client/index.ts', format: 'esm', sourceMap: true },
  { file: 'headless.js', entry: 'client/headless.ts', format: 'esm', sourceMap: true },
  ...['countdown', 'frame', 'keep-alive'].map((name) => ({
    file: `${name}.js`,
    entry: `client/${name}.ts`,
    format: 'esm',
  })),
  ...['react', 'vue', 'angular'].map((name) => ({
    file: `bindings/${name}.js`,
    entry: `client/bindings/${name}.ts`,
    format: 'esm',
  })),
  { file: 'ending.js', entry: 'client/ending/ending.ts', format: 'esm', sourceMap: true },
  { file: 'drafts.js', entry: 'client/auto-drafts.ts', format: 'esm' },
  { file: 'drafts-module.js', entry: 'client/drafts.ts', format: 'esm', sourceMap: true },
];

await rm(OUT, { recursive: true, force: true });
await mkdir(`${OUT}/bindings`, { recursive: true });
for (const { file, entry, ...options } of OUTPUTS) {
  const { code, map } = await bundleClient(entry, options);
  await writeFile(`${OUT}/${file}`, map ? `${code}\n//# sourceMappingURL=${file}.map\n` : code);
  if (map) await writeFile(`${OUT}/${file}.map`, map);
}

for (const [tag, texts] of await readLanguages())
  await writeFile(`${OUT}/${tag}.json`, JSON.stringify(texts));

const tsc = ['node_modules/typescript/bin/tsc', '-p', 'client/tsconfig.json'];
process.exitCode = spawnSync(process.execPath, tsc, { stdio: 'inherit' }).status ?? 1;
