import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { OURS, ownEnding, ownScript, PEER_BUNDLE } from '../browser/benched-client.js';
import type { BenchedClient } from '../browser/benched-client.js';
import type { Finding, Measurement } from './measurement.js';

/** The smallest entry that watches. It is given to the world, so that nothing of it is shaken away. */
const ENTRIES: Readonly<Record<string, string>> = {
  'react-idle-timer': "import { useIdleTimer } from 'react-idle-timer'; globalThis.used = useIdleTimer;",
  '@ng-idle/core':
    "import { Idle, LocalStorage, LocalStorageExpiry, DEFAULT_INTERRUPTSOURCES } from '@ng-idle/core'; globalThis.used = [Idle, LocalStorage, LocalStorageExpiry, DEFAULT_INTERRUPTSOURCES];",
  'idle-js': "import IdleJs from 'idle-js'; globalThis.used = IdleJs;",
  'idle-timeout': "import idleTimeout from 'idle-timeout'; globalThis.used = idleTimeout;",
  'hmrc-frontend':
    "import Dialog from 'hmrc-frontend/hmrc/components/timeout-dialog/timeout-dialog'; import Activity from 'hmrc-frontend/hmrc/components/timeout-dialog/session-activity-service'; globalThis.used = [Dialog, Activity];",
};

/** What an application with the framework of a peer has anyway. */
const FRAMEWORKS = ['react', 'react-dom', '@angular/core', '@angular/common', 'rxjs', 'rxjs/operators'];

/** The files that are loaded, minified. */
async function minified({ name }: BenchedClient): Promise<readonly string[]> {
  if (name === OURS.name) return [await ownScript(), await ownEnding()];
  const { outputFiles } = await build({
    ...PEER_BUNDLE,
    format: 'esm',
    alias: {},
    external: FRAMEWORKS,
    stdin: { contents: ENTRIES[name]!, resolveDir: '.' },
  });
  return [outputFiles[0]!.text];
}

/** Several files in the order in which they are loaded; all of them count. */
async function measured(client: BenchedClient, compress: (code: string) => Buffer): Promise<Finding> {
  const lengths = (await minified(client)).map((code) => compress(code).length);
  const text = lengths.map((length) => length.toLocaleString('en')).join(' + ');
  return { value: lengths.reduce((sum, length) => sum + length, 0), text: `${text} B` };
}

export const sizes: readonly Measurement[] = [
  {
    name: 'size, gzip',
    what: 'minified and gzipped',
    unit: 'B',
    measure: (client) => measured(client, (code) => gzipSync(code, { level: 9 })),
  },
  {
    name: 'size, brotli',
    what: 'minified, brotli',
    measure: (client) => measured(client, brotliCompressSync),
  },
];
