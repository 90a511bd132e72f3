import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../../../client/core/answer.js';
import { VirtualBrowser } from '../../support/client/virtual-browser.js';
import type { Mishap } from '../../support/client/virtual-browser.js';

const SHORT = { warnAfter: 5, expireAfter: 10 };
const reply = (status: number, body: unknown = undefined, retryAfter: string | null = null): Reply => ({
  status,
  body,
  retryAfter,
});

describe('a bad network', () => {
  test.each<[string, Mishap]>([
    ['refused', 'refused'],
    ['lost', 'lost'],
    ['without an answer', 'answer lost'],
    ['hung for ever', 'hung'],
    ['answered 503', reply(503)],
    ['answered by a captive portal', reply(200, '<html>')],
  ])('T4 a single ping %s, and an active person stays signed in unwarned', async (_, mishap) => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.mishaps.push(mishap);
    await browser.during(30_000, 250, () => tab.monitor.activity());
    expect(browser.mishaps).toEqual([]);
    expect(tab.monitor.phase()).toBe('active');
    expect(tab.count('warn')).toBe(0);
    expect(tab.count('expire')).toBe(0);
  });

  test('T4 a slow ping, and an active person stays signed in unwarned', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.latency = { up: 1000, down: 1000 };
    await browser.during(60_000, 250, () => tab.monitor.activity());
    expect(tab.count('warn')).toBe(0);
    expect(tab.monitor.phase()).toBe('active');
  });

  test('T6 offline at expiry: covered, not ended; online again: asked, then ended', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.offline = true;
    await browser.advance(3_600_000);
    expect(tab.covered).toBe(true);
    expect(tab.count('expire')).toBe(0);
    browser.offline = false;
    tab.monitor.wake();
    await browser.advance(500);
    expect(tab.last('expire')!.reason).toBe('idle');
  });

  test('T6 offline at expiry, alive when online again: uncovered', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.offline = true;
    await browser.advance(11_000);
    expect(tab.covered).toBe(true);
    browser.server.signIn();
    browser.offline = false;
    tab.monitor.wake();
    await browser.advance(500);
    expect(tab.covered).toBe(false);
    expect(tab.monitor.phase()).toBe('active');
  });

  test('T6 online again in the warning period: warned at once, although something was done long ago', async () => {
    const browser = new VirtualBrowser({ warnAfter: 5, expireAfter: 20 });
    const tab = await browser.open();
    browser.offline = true;
    await browser.advance(3000);
    // By a request of the application's own, of which this page does not know.
    browser.server.touch();
    await browser.advance(1000);
    tab.monitor.activity();
    await browser.advance(17_000);
    expect(tab.covered).toBe(true);
    browser.offline = false;
    browser.latency = { up: 400, down: 400 };
    tab.monitor.wake();
    await browser.advance(850);
    expect(tab.events.slice(-2).map(({ type }) => type)).toEqual(['active', 'warn']);
  });

  test.each([401, 403, 410, 419, 440, 302, 303])('T13 status %i means ended', async (status) => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.mishaps.push(reply(status));
    await browser.advance(5500);
    expect(tab.covered).toBe(true);
    expect(tab.events.at(-1)).toMatchObject({
      type: 'expire',
      detail: { reason: null, redirectTo: undefined },
    });
  });

  const live = { idleFor: 0, warnIn: 5, expireIn: 10, lifetimeIn: null, owner: 'ada-1' };
  const limits = { warnAfter: 5, expireAfter: 10, maxLifetime: null };
  test.each<[string, Reply]>([
    ['500', reply(500)],
    ['502', reply(502, '<html>')],
    ['429', reply(429)],
    ['404', reply(404)],
    ['204', reply(204)],
    ['206', reply(206, { state: 'expired' })],
    ['HTML', reply(200, '<!doctype html>')],
    ['nothing', reply(200, null)],
    ['an array', reply(200, [])],
    ['an unknown state', reply(200, { ...live, limits, state: 'alive' })],
    ['no limits', reply(200, { ...live, state: 'active' })],
    ['numbers as text', reply(200, { ...live, limits, state: 'active', expireIn: '1e9' })],
    ['a negative number', reply(200, { ...live, limits, state: 'active', idleFor: -1 })],
    ['infinity', reply(200, { ...live, limits, state: 'active', expireIn: Infinity })],
    [
      'limits that contradict',
      reply(200, { ...live, state: 'active', limits: { warnAfter: 9, expireAfter: 9 } }),
    ],
    ['no owner', reply(200, { ...live, limits, state: 'active', owner: 7 })],
  ])('T13 %s means unknown: asked again, and the deadline stays', async (_, answer) => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    browser.mishaps.push(...Array<Reply>(50).fill(answer));
    await browser.advance(9900);
    expect(tab.count('expire')).toBe(0);
    expect(tab.monitor.phase()).toBe('warning');
    expect(tab.count('error')).toBeGreaterThan(1);
    await browser.advance(300);
    expect(tab.covered).toBe(true);
    browser.mishaps.length = 0;
    await browser.advance(60_000);
    expect(tab.count('expire')).toBe(1);
  });

  test('T13 Retry-After is honoured, whatever wakes the page', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    browser.mishaps.push(reply(503, undefined, '20'));
    await browser.advance(539_000);
    expect(tab.count('error')).toBe(1);
    const [failed] = tab.times('error') as [number];
    tab.monitor.wake();
    await browser.advance(failed + 19_900 - browser.time);
    expect(browser.server.pings).toEqual([]);
    await browser.advance(200);
    expect(browser.server.pings.length).toBe(1);
  });

  test('T13 a Retry-After that ends after the session: covered at the end, and asked when the server wants to be', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    browser.mishaps.push(reply(503, undefined, '3600'));
    await browser.advance(601_000);
    expect(tab.covered).toBe(true);
    const [failed] = tab.times('error') as [number];
    await browser.advance(failed + 3_599_900 - browser.time);
    expect(tab.count('expire')).toBe(0);
    await browser.advance(1000);
    expect(tab.count('expire')).toBe(1);
    expect(tab.count('error')).toBe(1);
  });

  test('T13 "Stay signed in" asks at once, whatever the server has said of Retry-After', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const tab = await browser.open();
    browser.mishaps.push(reply(503, undefined, '3600'));
    await browser.advance(29_500);
    tab.monitor.activity();
    await browser.advance(20_000);
    expect(tab.count('error')).toBe(1);
    expect(tab.monitor.phase()).toBe('warning');
    tab.monitor.stay();
    await browser.advance(100);
    expect(tab.monitor.phase()).toBe('active');
  });

  test.each(['soon', '-5', '', null, 'Wed, 21 Oct 2026 07:28:00 GMT'])(
    'T13 a Retry-After of %j is no wish: asked again with back-off',
    async (header) => {
      const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
      const tab = await browser.open();
      browser.mishaps.push(reply(503, undefined, header));
      await browser.advance(539_000);
      expect(tab.count('error')).toBe(1);
      await browser.advance(5000);
      expect(browser.server.pings.length).toBe(1);
    },
  );

  test('T13 a server that fails for an hour is not stormed, and one that works again is found', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(3);
    browser.mishaps.push(...Array<Reply>(1000).fill(reply(500)));
    await browser.advance(3_600_000);
    expect(1000 - browser.mishaps.length).toBeLessThan(3 * 75);
    browser.mishaps.length = 0;
    await browser.advance(100_000);
    expect(tabs.map(({ monitor }) => monitor.phase())).toEqual(['expired', 'expired', 'expired']);
  });

  test('T13 a server that answers but never counts is not asked in a loop', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    const answer = browser.server.handle.bind(browser.server);
    browser.server.handle = (method, path) => answer(method, path);
    await browser.during(9900, 20, () => tab.monitor.activity());
    expect(browser.server.pings.length).toBeLessThan(8);
  });

  test('T13 the first request that fails is repeated until the server says who this is', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    browser.mishaps.push('refused', reply(502), reply(200, '<html>'));
    const tab = await browser.open();
    await browser.advance(30_000);
    expect(tab.monitor.phase()).toBe('active');
    expect(tab.count('error')).toBe(3);
  });

  test('D6 "Stay signed in" is pending until the server says so; a failure is told, and retried', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const [here, there] = await browser.openMany(2);
    await browser.advance(35_000);
    browser.mishaps.push('refused');
    here!.monitor.stay();
    await browser.advance(100);
    expect(here!.monitor.phase()).toBe('warning');
    expect(there!.monitor.phase()).toBe('warning');
    expect(here!.count('error')).toBe(1);
    here!.monitor.stay();
    await browser.advance(100);
    expect(here!.monitor.phase()).toBe('active');
    expect(there!.monitor.phase()).toBe('active');
    expect(here!.last('extended')!.remaining).toBeGreaterThan(55);
  });

  test('D6 a press of "Stay signed in", which is activity before, is told once; of a request that hangs, once more', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    browser.latency = { up: 300, down: 300 };
    const tab = await browser.open();
    const press = async (): Promise<number> => {
      const { length } = browser.server.requests;
      tab.monitor.activity();
      await browser.advance(150);
      tab.monitor.stay();
      await browser.advance(1000);
      return browser.server.requests.length - length;
    };
    await browser.advance(35_000);
    expect(await press()).toBe(1);
    expect(tab.monitor.phase()).toBe('active');
    await browser.advance(35_000);
    expect(tab.monitor.phase()).toBe('warning');
    browser.mishaps.push('hung');
    await press();
    expect(tab.monitor.phase()).toBe('warning');
    await press();
    expect(tab.monitor.phase()).toBe('active');
  });

  test("D6 with dismiss: 'button' activity does not call the warning off, the button does", async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const tab = await browser.open({ settings: { dismiss: 'button' } });
    await browser.advance(35_000);
    await browser.during(5000, 100, () => tab.monitor.activity());
    expect(tab.monitor.phase()).toBe('warning');
    expect(browser.server.lastActivityAt).toBe(0);
    tab.monitor.stay();
    await browser.advance(100);
    expect(tab.monitor.phase()).toBe('active');
  });

  test('L3 signing out that fails is told and leaves everything as it is', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const tab = await browser.open();
    browser.mishaps.push('refused');
    const outcome = tab.monitor.signOut();
    await browser.advance(100);
    expect(await outcome).toBe(false);
    expect(tab.last('error')).toEqual({ request: 'end', status: 0 });
    expect(tab.covered).toBe(false);
    expect(tab.monitor.phase()).toBe('active');
  });

  test('L3 signing out is a POST', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    void tab.monitor.signOut();
    await browser.advance(100);
    expect(browser.server.requests.at(-1)).toMatchObject({ method: 'POST', path: 'end' });
    expect(tab.last('expire')).toEqual({ reason: 'logout', redirectTo: '/login' });
  });
});
