import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Nothing that calls home, nothing that a server without a screen lacks. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let program: string | undefined;

/** Starts the Chromium that the provisioning script finds. */
export function launchChromium(): Promise<Browser> {
  program ??= execFileSync(process.execPath, ['scripts/provision.mjs', 'chromium'], {
    encoding: 'utf8',
  }).trim();
  return chromium.launch({ executablePath: program, args: QUIET });
}
