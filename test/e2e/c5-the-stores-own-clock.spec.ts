import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import session, { type Store } from 'express-session';
import { ADAPTER } from '../support/adapters.js';
import { Doors, SlowDesk } from '../support/slow-desk.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

const E = 10;
const EVERYTHING_BUT_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
const yard = new StoreYard();
afterAll(() => yard.close());

describe('C5 a session that is kept for less than E is reported with the numbers', () => {
  let desk: WatchedApp;
  afterEach(() => desk.close());

  const signIn = async (cookie: object, store: Store = new session.MemoryStore()): Promise<string[]> => {
    desk = await WatchedApp.start({ session: { cookie }, store });
    const browser = await desk.signedIn();
    await browser.user();
    return desk.messages.matching(/less than expireAfter/);
  };

  it('C5 a cookie of 5 s', async () => {
    expect(await signIn({ maxAge: 5_000 })).toEqual([
      expect.stringContaining('The session cookie lives 5 s, less than expireAfter (10 s)'),
    ]);
  });

  it('C5 a store of 7 s, as connect-redis and the file store say it', async () => {
    for (const told of [{ ttl: 7 }, { options: { ttl: 7 } }]) {
      const store = Object.assign(new session.MemoryStore(), told);
      expect(await signIn({}, store)).toEqual([
        expect.stringContaining('keeps a session for 7 s (its ttl), less than expireAfter (10 s)'),
      ]);
      await desk.close();
    }
    expect(await signIn({ maxAge: 60_000 }, Object.assign(new session.MemoryStore(), { ttl: 7 }))).toEqual(
      [],
    );
  });

  it('C5 neither is said of one that is kept for E', async () => {
    expect(await signIn({ maxAge: E * 1000 }, Object.assign(new session.MemoryStore(), { ttl: E }))).toEqual(
      [],
    );
  });
});

/**
 * With an age the store forgets sessions by a clock of its own, and renews them whenever it is touched. @fastify/session
 * never touches: without `rolling` a session ends with its age, whatever its user does.
 */
describe.each(
  STORE_KINDS.flatMap(({ kind }) => [
    ...(ADAPTER === 'express' ? [{ kind, rolling: false }] : []),
    { kind, rolling: true },
  ]),
)("C5 the store's own clock ($kind, rolling $rolling)", ({ kind, rolling }) => {
  let desk: WatchedApp;
  let stored: TestStore;
  /** Stores look at the machine's clock, so that has to pass too. */
  beforeEach(() => void jest.useFakeTimers({ now: Date.now(), doNotFake: [...EVERYTHING_BUT_DATE] }));
  afterEach(async () => {
    desk.app.get(Doors).openAll();
    await desk.close();
    await yard.clear();
    jest.useRealTimers();
  });
  const open = async (cookieAge = 1.5 * E): Promise<Browser> => {
    stored = await yard.create(kind);
    desk = await WatchedApp.start({
      store: stored.store,
      session: { rolling, cookie: { maxAge: cookieAge * 1000 } },
      security: { flushInterval: 1 },
      controllers: [SlowDesk],
      providers: [Doors],
    });
    return desk.signedIn();
  };
  const advance = async (seconds: number): Promise<void> => {
    jest.setSystemTime(Date.now() + seconds * 1000);
    await desk.clock.advance(seconds);
  };
  /** A request that the server goes on answering until the doors are opened, and the status at its end. */
  const openStream = async (browser: Browser): Promise<{ status: Promise<number> }> => {
    const status = browser
      .copy()
      .get('/slow/news')
      .then((answer) => answer.status);
    await desk.app.get(Doors).reached('news');
    return { status };
  };

  it('C5 passive requests that touch the store do not extend the session', async () => {
    const browser = await open();
    const begin = desk.clock.now();
    for (let time = 0; time < E; time += 2) {
      await advance(2);
      expect((await browser.get('/poll')).status).toBe(200);
    }
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('expire').map(({ recordedAt }) => recordedAt - begin)).toEqual([E * 1000]);
    expect(await stored.signedIn()).toEqual({});
  });

  it('C5 a stream that stays open does not extend it either, and writes nothing back at its end', async () => {
    const browser = await open();
    const { status } = await openStream(browser);
    for (let time = 0; time < E; time += 2) await advance(2);
    expect(desk.log.of('expire')).toHaveLength(1);
    desk.app.get(Doors).openAll();
    expect(await status).toBe(200);
    expect(await browser.user()).toBeNull();
    expect(await stored.signedIn()).toEqual({});
  });

  it('C5 a session that the store keeps for longer than E outlives that, for as long as it is active', async () => {
    const cookieAge = E + 60;
    const browser = await open(cookieAge);
    for (let time = 0; time < 2 * cookieAge; time += 7) {
      await advance(7);
      expect(await browser.user()).toBe('anna');
    }
  });

  it('C5 nor does its end cost a session that has stayed active elsewhere', async () => {
    const browser = await open();
    const { status } = await openStream(browser);
    for (let time = 0; time < 3 * E; time += 5) {
      await advance(5);
      expect(await browser.user()).toBe('anna');
    }
    desk.app.get(Doors).openAll();
    expect(await status).toBe(200);
    expect(await browser.user()).toBe('anna');
    await advance(5);
    expect(await browser.user()).toBe('anna');
    expect(desk.log.of('end')).toEqual([]);
  });
});
