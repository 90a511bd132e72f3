import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { bundleClient } from '../../scripts/bundle-client.mjs';

/** What a client says it can do. A row that needs more does not count against it. */
export type Claim = 'warns' | 'watches activity' | 'offers to stay';

/** A client that takes part in the benchmarks. */
export interface BenchedClient {
  readonly name: string;
  /** The npm package; ours is this one. */
  readonly packageName: string;
  /** Module in `bench/browser/clients` that mounts it. */
  readonly module: string;
  readonly claims: readonly Claim[];
}

export const OURS: BenchedClient = {
  name: 'nestjs-session-security',
  packageName: 'nestjs-session-security',
  module: 'session-security',
  claims: ['warns', 'watches activity', 'offers to stay'],
};

export const PEERS: readonly BenchedClient[] = [
  peer('react-idle-timer', 'react-idle-timer', 'warns', 'watches activity'),
  peer('@ng-idle/core', 'ng-idle', 'warns', 'watches activity'),
  peer('hmrc-frontend', 'hmrc-frontend', 'warns', 'offers to stay'),
  peer('idle-timeout', 'idle-timeout', 'watches activity'),
  peer('idle-js', 'idle-js', 'watches activity'),
];

export const CLIENTS: readonly BenchedClient[] = [OURS, ...PEERS];

function peer(packageName: string, module: string, ...claims: Claim[]): BenchedClient {
  return { name: packageName, packageName, module, claims };
}

export function installedVersion({ packageName }: BenchedClient): string {
  const file = packageName === OURS.packageName ? 'package.json' : `node_modules/${packageName}/package.json`;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

const scripts = new Map<string, Promise<string>>();

/** The script that starts the client in a page of the benchmarks. */
export function pageScript({ module }: BenchedClient): Promise<string> {
  return once(module, async () => {
    const contents = `import { embed } from './mount.js'; import { mount } from './${module}.js'; embed(mount);`;
    const stdin = { contents, resolveDir: 'bench/browser/clients' };
    return (await build({ stdin, ...PEER_BUNDLE })).outputFiles[0]!.text;
  });
}

/** Our script tag's file, as it is published. */
export function ownScript(): Promise<string> {
  return once('client.js', async () => (await bundleClient('client/auto.ts', { format: 'iife' })).code);
}

/** What our script loads before the first warning. */
export function ownEnding(): Promise<string> {
  return once(
    'ending.js',
    async () => (await bundleClient('client/ending/ending.ts', { format: 'esm' })).code,
  );
}

function once(name: string, make: () => Promise<string>): Promise<string> {
  const made = scripts.get(name) ?? make();
  scripts.set(name, made);
  return made;
}

/** How peers are bundled: as an application would, for production. */
export const PEER_BUNDLE = {
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: {
    '@angular/core': './bench/browser/clients/angular-core.ts',
    '@angular/common': './bench/browser/clients/angular-core.ts',
  },
  write: false,
} as const;
