import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchRealisticChromium } from '../support/client/chromium.js';
import { FakePingServer } from '../support/client/fake-ping-server.js';
import type { FakeLimits } from '../support/client/fake-session-server.js';
import { PlainTab } from '../support/client/plain-tab.js';
import { eventually } from '../support/real-time.js';

let browser: Browser;
let server: FakePingServer;
let tabs: PlainTab[];

beforeEach(async () => {
  // A browser of its own for every test, because all plain tabs share cookies, channels and locks.
  browser = await launchRealisticChromium();
  tabs = [];
});
afterEach(async () => {
  for (const tab of tabs) await tab.close();
  await browser.close();
  await server.stop();
});

async function serve(limits: FakeLimits): Promise<void> {
  server = await FakePingServer.start(limits);
  server.session.client = { application: 'clinic' };
  server.session.signIn();
}

async function open(path = '/'): Promise<PlainTab> {
  const tab = await PlainTab.open(browser, server.url + path);
  tabs.push(tab);
  await eventually('the client', async () => ['active', 'warning'].includes(await phaseOf(tab)), 10_000);
  return tab;
}

const phaseOf = (tab: PlainTab) => tab.evaluate(() => globalThis.sessionSecurity?.phase() ?? 'none');
const isSeen = (tab: PlainTab) => tab.evaluate(() => document.body.checkVisibility());
const isHidden = (tab: PlainTab) => tab.evaluate(() => document.hidden);

describe('T1 a tab that was frozen beyond the limit', () => {
  test('T1 is covered as soon as it goes on, before anybody sees it, and leaves', async () => {
    await serve({ warnAfter: 3, expireAfter: 6 });
    const sleeping = await open();
    await sleeping.evaluate(() => {
      document.addEventListener('resume', () =>
        sessionStorage.setItem('resumed', `${document.body.checkVisibility()}`),
      );
    });
    const other = await PlainTab.open(browser, `${server.url}/login`);
    tabs.push(other);
    await eventually('the tab hidden', () => isHidden(sleeping), 5000);
    await sleeping.freeze(true);
    await eventually('the end', () => !server.session.alive(), 10_000);
    // By so much a slow first answer may have put the page's own idea of the end off.
    await pause(1100);
    await sleeping.freeze(false);
    await sleeping.bringToFront();
    await eventually(
      'the sign-in page',
      () => sleeping.evaluate(() => location.pathname === '/login'),
      10_000,
    );
    // What the application's own listener saw, which comes after the client's.
    expect(await sleeping.evaluate(() => sessionStorage.getItem('resumed'))).toBe('false');
    expect(server.session.pings.filter(({ method }) => method === 'POST').length).toBe(0);
  });
});

describe('T2 a tab that was frozen while another was used', () => {
  test('T2 asks, finds itself alive, and keeps what was typed', async () => {
    await serve({ warnAfter: 2, expireAfter: 4 });
    const sleeping = await open();
    await sleeping.evaluate(() => (document.querySelector('input')!.value = 'half a note'));
    const busy = await open();
    await eventually('the tab hidden', () => isHidden(sleeping), 5000);
    await sleeping.freeze(true);
    const until = Date.now() + 9000;
    for (let turn = 0; Date.now() < until; turn++) {
      await busy.press(turn % 2 ? 'a' : 'b');
      await pause(250);
    }
    expect(server.session.alive()).toBe(true);
    await sleeping.freeze(false);
    await sleeping.bringToFront();
    await eventually('the page seen again', () => isSeen(sleeping), 5000);
    expect(await sleeping.evaluate(() => document.querySelector('input')!.value)).toBe('half a note');
    expect(server.visits).toEqual(['GET /', 'GET /']);
  });

  test('T18 a frozen tab stops nobody: the visible one warns and leaves on time', async () => {
    await serve({ warnAfter: 2, expireAfter: 4 });
    const sleeping = await open();
    await sleeping.press('a');
    const idle = await open();
    await eventually('the tab hidden', () => isHidden(sleeping), 5000);
    await sleeping.freeze(true);
    await eventually('the sign-in page', () => idle.evaluate(() => location.pathname === '/login'), 15_000);
    await sleeping.freeze(false);
  });
});

describe('T1 a hidden tab', () => {
  test('T1 leaves within seconds of the end, with timers that browsers throttle', async () => {
    await serve({ warnAfter: 3, expireAfter: 6 });
    const hidden = await open();
    const front = await PlainTab.open(browser, `${server.url}/login`);
    tabs.push(front);
    await eventually('the tab hidden', () => isHidden(hidden), 5000);
    await eventually('the end', () => !server.session.alive(), 10_000);
    await eventually('the sign-in page', () => hidden.evaluate(() => location.pathname === '/login'), 5000);
    expect(await isHidden(hidden)).toBe(true);
  });
});

describe('T5 a slow processor', () => {
  test('T5 twenty times slower, the page warns, is called off and ends all the same', async () => {
    await serve({ warnAfter: 3, expireAfter: 6 });
    const tab = await open();
    await tab.slowDown(20);
    await eventually('the warning', async () => (await phaseOf(tab)) === 'warning', 10_000);
    await tab.press('a');
    await eventually('the warning gone', async () => (await phaseOf(tab)) === 'active', 10_000);
    await eventually('the sign-in page', () => tab.evaluate(() => location.pathname === '/login'), 20_000);
  });
});
