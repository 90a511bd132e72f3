import { describe, expect, test } from '@jest/globals';
import { VirtualBrowser } from '../../support/client/virtual-browser.js';

const SHORT = { warnAfter: 5, expireAfter: 10 };

describe('one tab', () => {
  test('T5 warns at warnAfter and ends at expireAfter, within a second, with one request each', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(12_000);
    expect(tab.times('warn')[0]).toBeGreaterThanOrEqual(5000);
    expect(tab.times('warn')[0]).toBeLessThan(6000);
    expect(tab.times('expire')[0]).toBeGreaterThanOrEqual(10_000);
    expect(tab.times('expire')[0]).toBeLessThan(11_000);
    expect(tab.last('expire')).toEqual({ reason: 'idle', redirectTo: '/login' });
    expect(tab.covered).toBe(true);
    expect(browser.server.pings.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  test('T5 a ping that never answers does not delay expiry: the deadline covers the page', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.mishaps.push(...Array<'hung'>(50).fill('hung'));
    await browser.advance(11_000);
    expect(tab.count('warn')).toBe(1);
    expect(tab.covered).toBe(true);
    expect(tab.count('expire')).toBe(0);
    browser.mishaps.length = 0;
    await browser.advance(60_000);
    expect(tab.monitor.phase()).toBe('expired');
  });

  test('T21 asks nothing while nothing is new and no deadline is near, and tells a period of activity once', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    await browser.during(500_000, 1000, () => tab.monitor.activity());
    expect(browser.server.pings).toEqual([]);
    await browser.during(500_000, 1000, () => tab.monitor.activity());
    expect(browser.server.pings.length).toBe(1);
    expect(browser.server.pings[0]!.body!['idleFor']).toBeLessThan(1);
    expect(tab.count('warn')).toBe(0);
  });

  test('T21 a key at 3.5 s moves the warning to 8.5 s', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(3450);
    tab.monitor.activity();
    await browser.advance(10_000);
    expect(tab.times('warn')[0]).toBeGreaterThanOrEqual(8500);
    expect(tab.times('warn')[0]).toBeLessThan(9500);
  });

  test('T3 nothing is sent after the end, and only a question without activity at the deadline', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(9990);
    browser.offline = true;
    await browser.advance(2000);
    browser.offline = false;
    tab.monitor.activity();
    tab.monitor.stay();
    tab.monitor.suspend();
    await browser.advance(60_000);
    expect(tab.monitor.phase()).toBe('expired');
    expect(browser.server.pings.filter(({ method, at }) => method === 'POST' && at > 10_000)).toEqual([]);
    const asked = browser.server.requests.length;
    tab.monitor.activity();
    tab.monitor.stay();
    tab.monitor.wake();
    tab.monitor.suspend();
    tab.monitor.restore();
    await browser.advance(3_600_000);
    expect(browser.server.requests.length).toBe(asked);
  });

  test('T10 an answer never overwrites newer local activity', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.latency = { up: 400, down: 400 };
    const tab = await browser.open();
    await browser.advance(1000);
    // The answer to the question before the warning is on its way when a key is pressed.
    await browser.advance(browserTimeTo(browser, 5000));
    tab.monitor.activity();
    await browser.advance(3000);
    expect(tab.count('warn')).toBe(0);
    expect(browser.server.lastActivityAt).toBeGreaterThan(4990);
    await browser.advance(4000);
    expect(tab.times('warn')[0]).toBeGreaterThanOrEqual(10_000);
  });

  test('T11 limits beyond 24.8 days cause neither a storm of pings nor an early warning', async () => {
    const month = 30 * 86_400;
    const browser = new VirtualBrowser({ warnAfter: month - 60, expireAfter: month });
    const tab = await browser.open();
    await browser.advance((month - 70) * 1000);
    expect(browser.server.pings).toEqual([]);
    await browser.advance(80_000);
    expect(tab.count('warn')).toBe(1);
    expect(tab.count('expire')).toBe(1);
    expect(browser.server.pings.length).toBe(2);
  });

  test('T12 after destroy nothing is left and nothing happens', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.advance(7000);
    tab.monitor.destroy();
    const before = tab.events.length;
    expect(browser.pendingOf(tab)).toBe(0);
    expect(browser.openChannelsOf(tab)).toBe(0);
    await browser.advance(60_000);
    expect(tab.events.length).toBe(before);
    expect(tab.monitor.phase()).toBe('inert');
  });

  test.each(['warn', 'tick', 'active', 'error', 'expire'] as const)(
    'T12 destroy inside a listener of %s leaves nothing behind',
    async (type) => {
      const browser = new VirtualBrowser(SHORT);
      browser.mishaps.push('refused');
      const tab = await browser.open();
      tab.listener = (happened) => happened === type && tab.monitor.destroy();
      if (type === 'active') await browser.advance(4000);
      await browser.during(12_000, 1000, () => type === 'active' && tab.monitor.activity());
      if (type === 'error') browser.mishaps.push('refused');
      await browser.advance(20_000);
      const asked = browser.server.requests.length;
      await browser.advance(600_000);
      expect(browser.server.requests.length).toBe(asked);
      expect(browser.pendingOf(tab)).toBe(0);
      expect(browser.openChannelsOf(tab)).toBe(0);
    },
  );

  test('T20 is inert for somebody who is not signed in: no timer, no ping, no listener', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.anonymous = true;
    const tab = await browser.open();
    expect(tab.monitor.phase()).toBe('inert');
    await browser.advance(60_000);
    expect(browser.pendingOf(tab)).toBe(0);
    expect(browser.openChannelsOf(tab)).toBe(0);
    expect(tab.watching).toBe(false);
    expect(browser.server.requests.length).toBe(1);
    expect(tab.events).toEqual([]);
  });

  test('T20 stays inert when it is woken, also if its first request failed', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.anonymous = true;
    browser.mishaps.push('refused');
    const tab = await browser.open();
    await browser.advance(10_000);
    expect(tab.monitor.phase()).toBe('inert');
    tab.monitor.wake();
    tab.monitor.suspend();
    tab.monitor.restore();
    await browser.advance(60_000);
    expect(browser.server.requests.length).toBe(1);
    expect(browser.pendingOf(tab)).toBe(0);
    expect(browser.openChannelsOf(tab)).toBe(0);
  });

  test('T20 is inert on the sign-in page that an ended session leads to', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.end('idle');
    const tab = await browser.open();
    expect(tab.monitor.phase()).toBe('inert');
    expect(tab.covered).toBe(false);
    expect(tab.events).toEqual([]);
  });

  test('T20 sets no timers for somebody who is never timed out', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.exempt = true;
    const tab = await browser.open();
    await browser.advance(60_000);
    expect(tab.monitor.phase()).toBe('inert');
    expect(browser.server.requests.length).toBe(1);
  });

  test('S18 a page that was rendered for somebody else is covered and loaded again', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.signIn('bob-1');
    const tab = await browser.open({ owner: 'ada-1' });
    expect(tab.covered).toBe(true);
    expect(tab.last('expire')).toEqual({ reason: 'replaced', redirectTo: null });
  });

  test('S18 a page of somebody else is covered also when who signed in is never timed out', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.server.signIn('bob-1');
    browser.server.exempt = true;
    await browser.open();
    await browser.advance(1000);
    expect(tab.covered).toBe(true);
    expect(tab.last('expire')).toEqual({ reason: 'replaced', redirectTo: null });
  });

  test('S18 a page that was rendered for somebody and is opened by nobody is covered', async () => {
    const browser = new VirtualBrowser(SHORT);
    browser.server.end('idle');
    const tab = await browser.open({ owner: 'ada-1' });
    expect(tab.covered).toBe(true);
    expect(tab.last('expire')).toEqual({ reason: 'idle', redirectTo: '/login' });
  });

  test('S20 the warning before the absolute limit cannot be called off and sends nothing', async () => {
    const browser = new VirtualBrowser({ warnAfter: 50, expireAfter: 60, maxLifetime: 100 });
    const tab = await browser.open();
    await browser.during(120_000, 500, () => tab.monitor.activity());
    expect(tab.events.find(({ type }) => type === 'warn')!.detail).toMatchObject({ reason: 'lifetime' });
    expect(tab.times('warn')[0]).toBeGreaterThanOrEqual(90_000);
    expect(tab.times('warn')[0]).toBeLessThan(91_000);
    expect(tab.count('warn')).toBe(1);
    expect(tab.times('expire')[0]).toBeLessThan(101_000);
    expect(browser.server.pings.filter(({ at }) => at > 90_000 && at < 99_000)).toEqual([]);
    expect(browser.server.requests.length).toBeLessThan(8);
  });

  test('S20 a warning in which the absolute limit comes first is given anew, and cannot be called off', async () => {
    const browser = new VirtualBrowser({ warnAfter: 20, expireAfter: 60, maxLifetime: 100 });
    const tab = await browser.open();
    await browser.advance(10_000);
    tab.monitor.activity();
    await browser.advance(55_000);
    tab.monitor.stay();
    await browser.advance(100);
    const warnings = tab.events.flatMap(({ type, detail }) => (type === 'warn' ? [detail] : []));
    expect(warnings).toMatchObject([{ reason: 'idle' }, { reason: 'lifetime', remaining: 34 }]);
    const asked = browser.server.pings.length;
    await browser.during(30_000, 500, () => tab.monitor.activity());
    expect(tab.monitor.phase()).toBe('warning');
    expect(browser.server.pings.length).toBe(asked);
    expect(tab.count('warn')).toBe(2);
  });
});

describe('the countdown', () => {
  test('D1 counts every second once, is within a second of the truth and never rises', async () => {
    const browser = new VirtualBrowser({ warnAfter: 60, expireAfter: 90 });
    const tab = await browser.open();
    await browser.advance(90_000);
    const shown = tab.events.flatMap((event) =>
      event.type === 'warn' || event.type === 'tick'
        ? [{ at: event.at, remaining: event.detail.remaining }]
        : [],
    );
    expect(shown.length).toBeGreaterThan(25);
    for (const { at, remaining } of shown)
      expect(Math.abs(90 - at / 1000 - remaining)).toBeLessThanOrEqual(1.1);
    const numbers = shown.map(({ remaining }) => remaining);
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => other - one));
    expect(numbers.at(-1)).toBe(0);
  });

  test('D1 stops when hidden and is right at once when seen again', async () => {
    const browser = new VirtualBrowser({ warnAfter: 60, expireAfter: 90 });
    const tab = await browser.open();
    tab.visible = false;
    await browser.advance(80_000);
    expect(tab.count('warn')).toBe(1);
    expect(tab.count('tick')).toBe(0);
    tab.visible = true;
    tab.monitor.wake();
    expect(tab.last('tick')!.remaining).toBeCloseTo(10, -1);
    expect(tab.last('tick')!.remaining).toBe(tab.monitor.remaining());
  });

  test('T19 a press on "Stay signed in" succeeds while the countdown shows one second, with two seconds of latency', async () => {
    for (const latency of [
      { up: 1000, down: 1000 },
      { up: 1900, down: 100 },
    ]) {
      const browser = new VirtualBrowser({ warnAfter: 60, expireAfter: 90 });
      browser.latency = latency;
      const tab = await browser.open({ settings: { dismiss: 'button' } });
      await browser.advance(60_000);
      while (tab.monitor.remaining() > 1) await browser.advance(50);
      expect(tab.monitor.phase()).toBe('warning');
      await browser.advance(900);
      expect(tab.monitor.remaining()).toBe(1);
      tab.monitor.stay();
      await browser.advance(4000);
      expect(tab.monitor.phase()).toBe('active');
      expect(tab.count('expire')).toBe(0);
    }
  });
});

function browserTimeTo(browser: VirtualBrowser, at: number): number {
  return at - browser.time;
}
