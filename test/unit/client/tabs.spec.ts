import { describe, expect, test } from '@jest/globals';
import { VirtualBrowser } from '../../support/client/virtual-browser.js';
import type { VirtualTab } from '../../support/client/virtual-tab.js';

const SHORT = { warnAfter: 5, expireAfter: 10 };
const phases = (tabs: VirtualTab[]) => tabs.map(({ monitor }) => monitor.phase());

describe('several tabs', () => {
  test('T7 activity in one tab calls the warning off in all tabs', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(3);
    await browser.advance(7000);
    expect(phases(tabs)).toEqual(['warning', 'warning', 'warning']);
    tabs[1]!.monitor.activity();
    await browser.advance(250);
    expect(phases(tabs)).toEqual(['active', 'active', 'active']);
    expect(browser.server.pings.filter(({ method }) => method === 'POST').length).toBe(1);
    await browser.advance(4700);
    expect(phases(tabs)).toEqual(['active', 'active', 'active']);
  });

  test('T7 the other tabs do not wait for a slow server, and warn again when it was not reached', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const [here, there] = (await browser.openMany(2)) as [VirtualTab, VirtualTab];
    await browser.advance(35_000);
    browser.offline = true;
    here.monitor.activity();
    await browser.advance(250);
    expect(phases([here, there])).toEqual(['warning', 'active']);
    await browser.advance(16_000);
    expect(phases([here, there])).toEqual(['warning', 'warning']);
    browser.offline = false;
    await browser.advance(8000);
    expect(phases([here, there])).toEqual(['active', 'active']);
  });

  test('T7 activity right after an answer calls the warning off in the other tabs, however slow the server is', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const [there] = await browser.openMany(1);
    await browser.advance(35_000);
    // It begins within the warning, and tells the others what it was answered.
    const here = await browser.open();
    browser.latency = { up: 1000, down: 1000 };
    here.monitor.activity();
    await browser.advance(250);
    expect(phases([there!, here])).toEqual(['active', 'warning']);
  });

  test('T7 activity while the server is being asked holds the warning off in all tabs, however slow the server is', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const tabs = await browser.openMany(2);
    browser.latency = { up: 1000, down: 2000 };
    await browser.advance(29_850);
    tabs[1]!.monitor.activity();
    await browser.advance(10_000);
    expect(tabs.flatMap((tab) => tab.times('warn'))).toEqual([]);
    expect(browser.server.pings.map(({ method }) => method)).toEqual(['GET', 'POST']);
  });

  test('T8 signing out in one tab covers all others within a second', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(3);
    expect(await pending(browser, tabs[0]!.monitor.signOut())).toBe(true);
    expect(tabs.map(({ covered }) => covered)).toEqual([true, true, true]);
    expect(tabs.map((tab) => tab.last('expire')!.reason)).toEqual(['logout', 'logout', 'logout']);
    expect(browser.server.requests.filter(({ path }) => path === 'end').length).toBe(1);
  });

  test('T8 an expiry that one tab finds covers all others within a second', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tabs = await browser.openMany(3);
    await browser.advance(500_000);
    browser.server.end('revoked');
    tabs[0]!.monitor.restore();
    await browser.advance(1000);
    expect(tabs.map((tab) => tab.last('expire')!.reason)).toEqual(['revoked', 'revoked', 'revoked']);
  });

  test("T8 signing out by the application's own page is noticed when the next page starts", async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tabs = await browser.openMany(2);
    browser.server.end('logout');
    await browser.open();
    await browser.advance(1000);
    expect(tabs.map(({ covered }) => covered)).toEqual([true, true]);
    expect(browser.server.pings.length).toBe(1);
  });

  test('S18 when somebody else signs in in another tab, the pages of the former are covered and loaded again', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tabs = await browser.openMany(2);
    browser.server.signIn('bob-1');
    const bob = await browser.open();
    await browser.advance(1000);
    expect(tabs.map(({ covered }) => covered)).toEqual([true, true]);
    expect(tabs.map((tab) => tab.last('expire'))).toEqual([
      { reason: 'replaced', redirectTo: null },
      { reason: 'replaced', redirectTo: null },
    ]);
    expect(bob.monitor.phase()).toBe('active');
  });

  test('S18 a page whose first answer is slow learns who has signed in meanwhile', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    browser.latency = { up: 5, down: 3000 };
    const slow = await browser.open();
    browser.latency = { up: 5, down: 5 };
    browser.server.signIn('bob-1');
    const bob = await browser.open();
    await browser.advance(4000);
    expect(slow.last('expire')).toEqual({ reason: 'replaced', redirectTo: null });
    expect(bob.monitor.phase()).toBe('active');
    // Each of them has asked once.
    expect(browser.server.pings.length).toBe(2);
  });

  test('S18 a sign-in while a page asks is not forgotten when the answer of before arrives', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const page = await browser.open();
    browser.latency = { up: 5, down: 3000 };
    await browser.advance(539_000);
    expect(browser.server.pings.length).toBe(1);
    browser.latency = { up: 5, down: 5 };
    browser.server.signIn('bob-1');
    await browser.open();
    expect(page.monitor.phase()).toBe('active');
    await browser.advance(3000);
    expect(page.last('expire')).toEqual({ reason: 'replaced', redirectTo: null });
  });

  test('S18 a page that is told of others again and again asks no more often than it is answered', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const page = await browser.open();
    browser.latency = { up: 500, down: 500 };
    await browser.during(10_000, 100, () => browser.shout({ owner: 'bob-1' }));
    await browser.advance(60_000);
    expect(browser.server.pings.length).toBeGreaterThan(5);
    expect(browser.server.pings.length).toBeLessThanOrEqual(11);
    expect(page.monitor.phase()).toBe('active');
  });

  test('T21 five tabs, the first active for 60 s, send at most 13 pings', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(5);
    await browser.during(60_000, 130, () => tabs[0]!.monitor.activity());
    expect(browser.server.pings.length).toBeLessThanOrEqual(13);
    expect(tabs.flatMap((tab) => tab.times('warn'))).toEqual([]);
    expect(phases(tabs)).toEqual(Array(5).fill('active'));
  });

  test('T21 ten idle tabs send one ping at the warning and one at the end', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs = await browser.openMany(10);
    await browser.advance(7000);
    expect(phases(tabs)).toEqual(Array(10).fill('warning'));
    expect(browser.server.pings.length).toBe(1);
    await browser.advance(5000);
    expect(phases(tabs)).toEqual(Array(10).fill('expired'));
    expect(browser.server.pings.length).toBe(2);
  });

  test('T21 the oldest of seven tabs keeps all of them alive', async () => {
    const browser = new VirtualBrowser(SHORT);
    const tabs: VirtualTab[] = [];
    for (let opened = 0; opened < 7; opened++) tabs.push(await browser.open());
    await browser.during(30_000, 400, () => tabs[0]!.monitor.activity());
    expect(phases(tabs)).toEqual(Array(7).fill('active'));
    expect(tabs.flatMap((tab) => tab.times('warn'))).toEqual([]);
  });

  test.each([
    ['without channels', { hasChannels: false }],
    ['without locks', { hasLocks: false }],
    ['without both', { hasChannels: false, hasLocks: false }],
  ])('T18 tabs %s work, each alone', async (_, missing) => {
    const browser = Object.assign(new VirtualBrowser(SHORT), missing);
    const tabs = await browser.openMany(3);
    await browser.during(20_000, 300, () => tabs[0]!.monitor.activity());
    expect(phases(tabs)).toEqual(['active', 'active', 'active']);
    await browser.advance(12_000);
    expect(phases(tabs)).toEqual(['expired', 'expired', 'expired']);
  });

  test('T7 without channels the warning is called off in the other tabs within 5 s', async () => {
    const browser = Object.assign(new VirtualBrowser({ warnAfter: 30, expireAfter: 60 }), {
      hasChannels: false,
    });
    const tabs = await browser.openMany(2);
    await browser.advance(35_000);
    expect(phases(tabs)).toEqual(['warning', 'warning']);
    tabs[0]!.monitor.activity();
    await browser.advance(5000);
    expect(phases(tabs)).toEqual(['active', 'active']);
  });

  test('T18 a frozen tab stops nobody: the visible one warns and ends on time', async () => {
    const browser = new VirtualBrowser(SHORT);
    const [hidden, visible] = (await browser.openMany(2)) as [VirtualTab, VirtualTab];
    hidden.monitor.activity();
    hidden.freeze();
    await browser.advance(12_000);
    expect(visible.times('warn')[0]).toBeLessThan(6100);
    expect(visible.times('expire')[0]).toBeLessThan(11_100);
  });

  test('T18 a frozen tab that holds the lock delays the others by the time limit of a ping at most', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const [holder, other] = (await browser.openMany(2)) as [VirtualTab, VirtualTab];
    await browser.advance(20_000);
    holder.monitor.activity();
    // The holder asks first, because its activity is the newest; its answer never reaches it.
    browser.latency = { up: 5, down: 400 };
    while (browser.server.pings.length === 0) await browser.advance(10);
    holder.freeze();
    await browser.advance(10_500);
    other.monitor.activity();
    expect(other.monitor.phase()).toBe('active');
    await browser.advance(75_000);
    expect(other.monitor.phase()).toBe('expired');
    expect(browser.server.pings.length).toBeGreaterThan(1);
  });

  test('T2 a tab that was frozen beyond the limit finds itself alive and keeps everything', async () => {
    const browser = new VirtualBrowser(SHORT);
    const [frozen, busy] = (await browser.openMany(2)) as [VirtualTab, VirtualTab];
    frozen.freeze();
    await browser.during(40_000, 500, () => busy.monitor.activity());
    frozen.thaw();
    await browser.advance(300);
    expect(frozen.monitor.phase()).toBe('active');
    expect(frozen.covered).toBe(false);
    expect(frozen.count('expire')).toBe(0);
  });

  test('T22 two applications on one origin do not mix, and two owners do not either', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const clinic = await browser.open();
    await browser.open({ settings: { application: 'shop' } });
    const names = browser.channelNames();
    expect(names.filter((name) => name.includes('clinic') && name.includes('ada-1')).length).toBe(1);
    expect(names.filter((name) => name.includes('shop') && name.includes('ada-1')).length).toBe(1);
    browser.server.end('logout');
    await browser.open({ settings: { application: 'shop' } });
    await browser.advance(1000);
    expect(clinic.covered).toBe(false);
  });

  test.each([
    ['nothing', null],
    ['a number', 7],
    ['another program', { type: 'logout' }],
    ['wrong types', { last: '0', sentAt: [], answer: 'x' }],
    ['activity to come', { last: 1e15, sentAt: 1e15 }],
    ['activity without end', { last: Infinity }],
    ['not a number', { last: NaN, sentAt: NaN }],
    ['a number without limits', { last: 10n ** 15n, sentAt: 1n }],
    ['half an answer', { last: 0, sentAt: 0, answer: { state: 'active' } }],
    ['an unknown state', { last: 0, sentAt: 0, answer: { state: 'dead' } }],
    [
      'an answer of wrong types',
      { last: 0, sentAt: {}, answer: { state: 'active', idleFor: '1', owner: 7 } },
    ],
  ])('T22 garbage on the channel is ignored: %s', async (_, garbage) => {
    const browser = new VirtualBrowser(SHORT);
    const tab = await browser.open();
    await browser.during(30_000, 1000, () => browser.shout(garbage));
    expect(tab.times('warn')[0]).toBeLessThan(6100);
    expect(tab.times('expire')[0]).toBeLessThan(11_100);
    expect(browser.server.requests.length).toBeLessThan(6);
  });

  test('T22 a message that slept with the machine is not taken for news', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const [here, there] = (await browser.openMany(2)) as [VirtualTab, VirtualTab];
    here.monitor.activity();
    browser.sleep(599_000);
    here.monitor.wake();
    there.monitor.wake();
    await browser.advance(10_000);
    expect(phases([here, there])).toEqual(['expired', 'expired']);
    expect(browser.server.ended).toBe('idle');
  });

  test('T14 a page that goes into the cache closes its channel and tells what is new', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    await browser.advance(300_000);
    tab.monitor.activity();
    tab.monitor.suspend();
    await browser.advance(100);
    expect(browser.openChannelsOf(tab)).toBe(0);
    expect(browser.server.lastActivityAt).toBeGreaterThan(300_000);
  });

  test('T14 a page that comes out of the cache is covered before the server has answered', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    tab.monitor.suspend();
    await browser.advance(1000);
    tab.monitor.restore();
    expect(tab.covered).toBe(true);
    await browser.advance(100);
    expect(tab.covered).toBe(false);
    expect(browser.openChannelsOf(tab)).toBe(2);
    tab.monitor.suspend();
    browser.server.end('logout');
    tab.monitor.restore();
    expect(tab.covered).toBe(true);
    await browser.advance(100);
    expect(tab.last('expire')!.reason).toBe('logout');
  });

  test('T14 an answer that was on its way when the page was left does not uncover it', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    const tab = await browser.open();
    browser.latency = { up: 5, down: 3000 };
    await browser.advance(539_000);
    expect(browser.server.pings.length).toBe(1);
    tab.monitor.suspend();
    browser.server.end('logout');
    await browser.advance(1000);
    tab.monitor.restore();
    // The old answer comes first, and says that the session lives.
    await browser.advance(10_000);
    expect(tab.last('expire')!.reason).toBe('logout');
    expect(tab.times('active').filter((at) => at > 530_000)).toEqual([]);
  });

  test('T14 a page that comes out of the cache while it starts asks anew', async () => {
    const browser = new VirtualBrowser({ warnAfter: 540, expireAfter: 600 });
    browser.latency = { up: 5, down: 3000 };
    const tab = await browser.open({ owner: 'ada-1' });
    tab.monitor.suspend();
    browser.server.end('logout');
    await browser.advance(1000);
    tab.monitor.restore();
    // The old answer comes first, and says that the session lives.
    await browser.advance(2500);
    expect(tab.events).toEqual([]);
    await browser.advance(1000);
    expect(tab.last('expire')!.reason).toBe('logout');
    expect(browser.openChannelsOf(tab)).toBe(0);
  });

  test('T21 activity while the server is asked before the warning is told as soon as the lock is given back', async () => {
    const browser = new VirtualBrowser({ warnAfter: 30, expireAfter: 60 });
    const tab = await browser.open();
    browser.latency = { up: 5, down: 200 };
    await browser.advance(29_700);
    expect(browser.server.pings.map(({ method }) => method)).toEqual(['GET']);
    tab.monitor.activity();
    await browser.advance(500);
    expect(browser.server.pings.map(({ method }) => method)).toEqual(['GET', 'POST']);
    expect(tab.count('warn')).toBe(0);
  });
});

async function pending<Result>(browser: VirtualBrowser, promise: Promise<Result>): Promise<Result> {
  await browser.advance(1000);
  return promise;
}
