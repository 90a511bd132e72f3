import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { findProgram } from '../setup/programs.mjs';

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

/** What Playwright switches off and people have: the back/forward cache, and throttling of what is not seen. */
const AS_PEOPLE_HAVE_IT = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Starts the Chromium that the provisioning script finds. */
export function launchChromium(ignoreDefaultArgs: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: findProgram('chromium'), args: QUIET, ignoreDefaultArgs });
}

/** The same, with back/forward cache and throttling on. */
export const launchRealisticChromium = (): Promise<Browser> => launchChromium(AS_PEOPLE_HAVE_IT);
