// The size gate: the build fails when the client grows beyond what was promised.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bundleClient } from './bundle-client.mjs';

const LIMITS = [
  {
    what: 'core with ping, tabs and activity',
    entry: 'client/dom/page-monitor.ts',
    format: 'esm',
    limit: 2560,
  },
  { what: 'everything with the English dialog', entry: 'client/auto.ts', format: 'iife', limit: 4608 },
  { what: 'guard and drafts, loaded apart', entry: 'client/auto-drafts.ts', format: 'esm', limit: 7680 },
];

for (const { what, entry, format, limit } of LIMITS) {
  const { code } = await bundleClient(entry, { format });
  const gzip = gzipSync(code, { level: 9 }).length;
  const brotli = brotliCompressSync(code).length;
  console.log(`${what}: ${code.length} B, gzip ${gzip} B of ${limit} B, brotli ${brotli} B (${entry})`);
  if (gzip > limit) {
    console.error(`${entry} is ${gzip - limit} B too large.`);
    process.exitCode = 1;
  }
}
