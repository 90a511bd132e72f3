// The size gate: the build fails when the client grows beyond what was promised.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const LIMITS = [
  { file: 'dist/client/headless.js', what: 'core with ping, tabs and activity', limit: 2560 },
  { file: 'dist/client/client.js', what: 'everything with the English dialog', limit: 4608 },
];

for (const { file, what, limit } of LIMITS) {
  const source = readFileSync(file);
  const gzip = gzipSync(source, { level: 9 }).length;
  const brotli = brotliCompressSync(source).length;
  console.log(`${what}: ${source.length} B, gzip ${gzip} B of ${limit} B, brotli ${brotli} B (${file})`);
  if (gzip > limit) {
    console.error(`${file} is ${gzip - limit} B too large.`);
    process.exitCode = 1;
  }
}
