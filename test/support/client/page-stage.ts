import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { launchChromium } from './chromium.js';
import { FakePingServer } from './fake-ping-server.js';
import type { FakeLimits } from './fake-session-server.js';

/** What a test of a page has for itself. */
interface Stage {
  readonly server: FakePingServer;
  readonly context: BrowserContext;
  /** Lets seconds pass in no time, on the server and in all pages, whose clock is to be installed before they are opened. */
  readonly pass: (seconds: number) => Promise<void>;
}

/**
 * For the tests of a file: one Chromium, and for each test a server and a browser context, both closed after it.
 *
 * @returns opens what the test needs; to be called by each test, once
 */
export function pageStage(): (limits: FakeLimits, options?: BrowserContextOptions) => Promise<Stage> {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterEach(async () => {
    await stage.context.close();
    await stage.server.stop();
  });
  afterAll(() => browser.close());
  return async (limits, options = {}) => {
    const server = await FakePingServer.start(limits);
    const context = await browser.newContext({ baseURL: server.url, ...options });
    const pass = (seconds: number): Promise<void> => {
      server.ahead += seconds;
      return context.clock.fastForward(seconds * 1000);
    };
    return (stage = { server, context, pass });
  };
}
