import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium as playwright } from 'playwright-core';
import { aptInstaller, brewInstaller } from './provision.mjs';

const playwrightCommand = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);

/** @type {import('./provision.mjs').Requirement} */
export const chromium = {
  name: 'Chromium',
  environmentVariable: 'CHROMIUM_PATH',
  commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  otherPlaces: () => [
    playwright.executablePath(),
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  installers: [
    aptInstaller('chromium'),
    {
      name: "Playwright's own download",
      isUsable: () => true,
      commandLines: () => [[process.execPath, playwrightCommand, 'install', 'chromium']],
    },
    brewInstaller('--cask', 'chromium'),
  ],
  advice:
    'Install Chromium or Google Chrome with your package manager (Debian: apt-get install chromium), ' +
    'or set CHROMIUM_PATH to its program, and run the tests again.',
};
