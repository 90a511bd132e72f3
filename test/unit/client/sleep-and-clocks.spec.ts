import { describe, expect, test } from '@jest/globals';
import { VirtualBrowser } from '../../support/client/virtual-browser.js';

const SHORT = { warnAfter: 5, expireAfter: 10 };
const HOUR = 3_600_000;

describe.each([
  ['where the monotonic clock stands still', false],
  ['where it counts', true],
])('sleep %s', (_, monotonicCounts) => {
  test('T1 after an hour of sleep the first input covers the page and extends nothing', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(1000);
    browser.sleep(HOUR, monotonicCounts);
    tab.monitor.activity();
    expect(tab.covered).toBe(true);
    await browser.advance(500);
    expect(tab.monitor.phase()).toBe('expired');
    expect(browser.server.pings.every(({ method }) => method === 'GET')).toBe(true);
  });

  test('T1 any sign of waking covers the page at once', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(1000);
    browser.sleep(HOUR, monotonicCounts);
    tab.monitor.wake();
    expect(tab.covered).toBe(true);
  });

  test('T1 a session that others kept alive is uncovered as it was', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(1000);
    browser.sleep(HOUR, monotonicCounts);
    browser.server.signIn();
    tab.monitor.wake();
    expect(tab.covered).toBe(true);
    await browser.advance(100);
    expect(tab.covered).toBe(false);
    expect(tab.monitor.phase()).toBe('active');
    expect(tab.count('expire')).toBe(0);
  });

  test('T1 sleep over the warning only: warned within a second of waking, with the true rest', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    await browser.advance(100_000);
    browser.sleep(470_000, monotonicCounts);
    tab.monitor.wake();
    await browser.advance(1000);
    expect(tab.monitor.phase()).toBe('warning');
    expect(tab.last('warn')!.remaining).toBeGreaterThan(27);
    expect(tab.last('warn')!.remaining).toBeLessThanOrEqual(30);
  });
});

describe('a frozen page', () => {
  test('T1 is not uncovered for a moment by an answer of before, which tells of an end that has passed', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.latency = { up: 5, down: 1000 };
    await browser.advance(5000);
    expect(browser.server.pings.length).toBe(1);
    tab.freeze();
    await browser.advance(20_000);
    tab.thaw();
    await browser.advance(5000);
    expect(tab.times('active').filter((at) => at > 1000)).toEqual([]);
    expect(tab.count('cover')).toBe(1);
    expect(tab.monitor.phase()).toBe('expired');
  });
});

describe('clocks', () => {
  test('T9 a clock set back by an hour does not keep an idle session', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(1000);
    browser.setClock(-HOUR);
    await browser.advance(11_000);
    expect(tab.times('warn')[0]).toBeLessThan(6100);
    expect(tab.times('expire')[0]).toBeLessThan(11_100);
  });

  test('T9 a clock set back by an hour does not sign an active person out', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(2);
    await browser.advance(1000);
    browser.setClock(-HOUR);
    await browser.during(30_000, 500, () => tabs[0]!.monitor.activity());
    expect(tabs.map(({ monitor }) => monitor.phase())).toEqual(['active', 'active']);
    expect(tabs.flatMap((tab) => tab.times('warn'))).toEqual([]);
  });

  test('T9 a clock set forward by an hour asks the server and neither ends nor extends', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    await browser.advance(100_000);
    browser.setClock(HOUR);
    tab.monitor.wake();
    await browser.advance(1000);
    expect(tab.monitor.phase()).toBe('active');
    expect(tab.covered).toBe(false);
    expect(browser.server.lastActivityAt).toBe(0);
    await browser.advance(503_000);
    expect(tab.times('expire')[0]).toBeLessThan(601_100);
    expect(tab.count('expire')).toBe(1);
  });
});

test('T9 a clock that is put right between activity and the end of the page: no activity of the future is told', async () => {
  const browser = new VirtualBrowser(SHORT);
  const tab = await browser.open();
  await browser.advance(1000);
  // Both clocks are read now, and the wall clock alone for the next half second.
  tab.monitor.activity();
  browser.setClock(300);
  await browser.advance(150);
  tab.monitor.activity();
  await browser.advance(100);
  tab.monitor.suspend();
  await browser.advance(100);
  expect(browser.server.pings.map(({ body }) => body)).toEqual([{ idleFor: 0 }]);
});
