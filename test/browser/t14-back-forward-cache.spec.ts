import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchRealisticChromium } from '../support/client/chromium.js';
import { FakePingServer } from '../support/client/fake-ping-server.js';
import { eventually } from '../support/real-time.js';

/** What a page that came out of the cache saw of itself. */
interface Return {
  /** When the client's listener had run. */
  coveredInTask: boolean;
  /** Whether the content was seen, frame by frame. */
  frames: boolean[];
  /** Why the browser did not restore the page; null: it did. */
  reasons: unknown;
}

let browser: Browser;
let server: FakePingServer;
let page: Page;

beforeAll(async () => {
  browser = await launchRealisticChromium();
});
beforeEach(async () => {
  server = await FakePingServer.start({ warnAfter: 60, expireAfter: 120 });
  for (const path of ['/', '/elsewhere']) server.pages.set(path, { cacheControl: 'no-cache' });
  page = await browser.newPage({ baseURL: server.url });
  await page.addInitScript(watchReturns);
});
// Tools lose sight of pages that come out of the cache, and may wait in vain for one to be closed: the browser closes all.
afterEach(() => server.stop());
afterAll(() => browser.close());

/** Runs in the page, and tells the server, because tools lose sight of pages that come out of the cache. */
function watchReturns(): void {
  const told = { coveredInTask: false, frames: [] as boolean[], reasons: undefined as unknown };
  const isSeen = () => document.body.checkVisibility();
  const look = () => {
    const seen = isSeen();
    // A little later, so that a flicker would be noted too.
    if (seen && !told.frames.includes(true)) setTimeout(tell, 500);
    told.frames.push(seen);
    requestAnimationFrame(look);
  };
  const tell = () => void fetch(`/told?${encodeURIComponent(JSON.stringify(told))}`, { keepalive: true });
  const onReturn = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    const [navigation] = performance.getEntriesByType('navigation');
    told.coveredInTask = !isSeen();
    told.reasons = (navigation as unknown as { notRestoredReasons?: unknown }).notRestoredReasons ?? null;
    requestAnimationFrame(look);
    addEventListener('pagehide', tell);
  };
  // After the client's own listener, whichever way that listens.
  addEventListener('DOMContentLoaded', () => {
    sessionSecurity?.addEventListener(
      'active',
      () => {
        setTimeout(() => {
          addEventListener('pageshow', onReturn);
          document.documentElement.dataset['watched'] = '';
        });
      },
      { once: true },
    );
  });
}

/** Leaves the page for another, lets `meanwhile` happen, and goes back. The server is slow to answer. */
async function awayAndBack(meanwhile: () => void | Promise<void> = () => {}): Promise<Return> {
  await page.goto('/');
  await page.locator('[data-watched]').waitFor();
  await page.goto('/elsewhere');
  await pause(300);
  await meanwhile();
  server.interfere = () => pause(400).then(() => false);
  await page.evaluate(() => history.back()).catch(() => undefined);
  const told = () => server.visits.find((visit) => visit.startsWith('GET /told?'));
  const visit = await eventually('the page back', told, 15_000);
  return JSON.parse(decodeURIComponent(visit.slice('GET /told?'.length))) as Return;
}

const asked = () => server.session.requests.slice(2).map(({ method, path }) => `${method} ${path}`);

describe('T14', () => {
  test('out of the cache a page is covered in the same task, asks, and is shown again as it was', async () => {
    const { coveredInTask, frames, reasons } = await awayAndBack();

    expect(coveredInTask).toBe(true);
    expect(reasons).toBeNull();
    expect(frames[0]).toBe(false);
    expect(frames.at(-1)).toBe(true);
    // Covered until the answer, seen ever after: no flicker.
    expect(frames.lastIndexOf(false)).toBeLessThan(frames.indexOf(true));
    expect(asked()).toEqual(['GET ping']);
    expect(server.visits.filter((visit) => visit === 'GET /').length).toBe(1);
  });

  test('out of the cache after the end, no frame shows data, and the page leaves', async () => {
    const { coveredInTask, frames } = await awayAndBack(() => server.session.end('idle'));

    expect(coveredInTask).toBe(true);
    expect(frames).not.toContain(true);
    await eventually(
      'the sign-in page',
      () => server.visits.includes('GET /login?returnTo=%2F') || undefined,
      5000,
    );
    expect(server.visits.filter((visit) => visit === 'GET /').length).toBe(1);
  });

  test('Back from the sign-in page, to which the next page was left, shows no data in any frame', async () => {
    const { coveredInTask, frames } = await awayAndBack(async () => {
      server.session.end('idle');
      await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
      await page.waitForURL('**/login?returnTo=%2Felsewhere');
    });

    expect(coveredInTask).toBe(true);
    expect(frames).not.toContain(true);
    const signIn = () => server.visits.includes('GET /login?returnTo=%2F') || undefined;
    await eventually('the sign-in page again', signIn, 5000);
    // The page that was left is not in the history any more.
    expect(server.visits.filter((visit) => visit === 'GET /elsewhere').length).toBe(1);
  });
});
