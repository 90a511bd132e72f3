import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { ADAPTER } from '../support/adapters.js';
import { COMBINATIONS, sessionOptions } from '../support/stores/combinations.js';
import { Faults, isSession } from '../support/stores/faults.js';
import { StoreYard, type TestStore } from '../support/stores/kinds.js';
import { Doors, SlowDesk } from '../support/slow-desk.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

const yard = new StoreYard();
afterAll(() => yard.close());

/** @fastify/session answers when the session has been saved, or 500; express-session has sent the answer by then. */
const PATIENT = ADAPTER === 'fastify' ? { storeTimeout: 60 } : {};

/** Every way in which a session ends, as it is told. */
const ENDS: [name: string, reason: string, end: (desk: WatchedApp, browser: Browser) => Promise<unknown>][] =
  [
    ['a logout', 'logout', async (_, browser) => browser.post('/logout').expect(201)],
    [
      'a logout that keeps the session id',
      'logout',
      async (_, browser) => browser.post('/forget').expect(201),
    ],
    [
      "the client's sign-out",
      'logout',
      async (_, browser) => browser.post('/session-security/end').expect(200),
    ],
    ['a revocation', 'revoked', (desk) => desk.security.endAll('anna')],
    ['an expiry without a request', 'idle', (desk) => desk.clock.advance(12)],
    [
      'an expiry found by a request',
      'idle',
      async (desk, browser) => {
        desk.clock.jump(12);
        expect((await browser.get('/whoami')).body.user ?? null).toBeNull();
      },
    ],
  ];

describe.each(COMBINATIONS)('C2 an end is final ($kind, resave $resave, rolling $rolling)', (combination) => {
  let desk: WatchedApp;
  let stored: TestStore;
  let faults: Faults;
  const open = async (security: SessionSecurityOptionsInput = {}): Promise<void> => {
    stored = await yard.create(combination.kind);
    faults = new Faults(stored.store);
    desk = await WatchedApp.start({
      store: stored.store,
      session: sessionOptions(combination),
      security: { flushInterval: 1, ...security },
      controllers: [SlowDesk],
      providers: [Doors],
    });
  };
  afterEach(async () => {
    desk.app.get(Doors).openAll();
    faults.releaseAll();
    await desk.close();
    await yard.clear();
  });

  /** Starts a request that waits in its handler. */
  const begin = async (browser: Browser, door: string): Promise<{ status: Promise<number> }> => {
    const path = `/slow/${door}`;
    const posts = ['write', 'save', 'rotate-late', 'rotate'].includes(door);
    // It has the cookie that the browser had then, and what it brings does not reach the browser any more.
    const copy = browser.copy();
    const status = (posts ? copy.post(path) : copy.get(path)).then((answer) => {
      late.push(copy);
      return answer.status;
    });
    await desk.app.get(Doors).reached(door);
    return { status };
  };
  const late: Browser[] = [];

  const expectDead = async (browsers: Browser[], reason: string): Promise<void> => {
    for (const browser of browsers) expect(await browser.user()).toBeNull();
    expect(await stored.signedIn()).toEqual({});
    expect(await stored.records()).toEqual({});
    expect(desk.log.of('start')).toHaveLength(1);
    expect(desk.log.of('end').map((event) => event.reason)).toEqual([reason]);
    await desk.clock.advance(15);
    expect(desk.log.of('end')).toHaveLength(1);
  };

  it.each(ENDS)('C2 C3 %s during slow handlers of every kind', async (_, reason, end) => {
    await open();
    late.length = 0;
    const browser = await desk.signedIn();
    const old = browser.copy();
    const doors = ['read', 'stamp', 'write', 'save', 'news', 'download', 'poll', 'rotate-late'];
    const slow = [];
    for (const door of doors) slow.push(await begin(browser, door));
    await end(desk, browser);
    desk.app.get(Doors).openAll();
    for (const { status } of slow) expect(await status).toBeLessThan(300);
    await expectDead([browser, old, ...late], reason);
  });

  it.each(ENDS.filter(([name]) => !name.includes('keeps')))(
    'C2 %s while the session is being given a new id',
    async (_, reason, end) => {
      await open();
      late.length = 0;
      const browser = await desk.signedIn();
      const old = browser.copy();
      // A sign-out has read its session by then; later the old id opens nothing any more.
      const signOut = faults.hold('get', isSession, reason === 'logout' ? 1 : 0);
      const ending = browser.copy();
      const ended = reason === 'logout' ? end(desk, ending) : undefined;
      if (ended) await signOut.reached();
      const rotation = await begin(browser, 'rotate');
      signOut.release();
      await (ended ?? end(desk, ending));
      desk.app.get(Doors).openAll();
      expect(await rotation.status).toBe(201);
      await expectDead([browser, old, ending, ...late], reason);
    },
  );

  it.each(ENDS)('C2 %s while the store is slow to write what was changed', async (_, reason, end) => {
    await open(PATIENT);
    const browser = await desk.signedIn();
    const old = browser.copy();
    const slow = faults.hold('set', isSession, 1);
    const writing = browser
      .copy()
      .post('/write', { note: 1 })
      .then(({ status }) => status);
    await slow.reached();
    await end(desk, browser);
    slow.release();
    expect(await writing).toBe(201);
    await expectDead([browser, old], reason);
  });

  it.each(ENDS)('C2 C3 %s while the store is slow to read', async (_, reason, end) => {
    for (const onExpired of ['anonymous', 'reject'] as const) {
      await open({ onExpired });
      const browser = await desk.signedIn();
      const old = browser.copy();
      const slow = faults.hold('get', isSession, 1);
      const reading = browser.copy().post('/write', { note: 1 });
      const answer = reading.then(({ status, body }) => ({ status, body }));
      await slow.reached();
      await end(desk, browser.copy());
      slow.release();
      const { status, body } = await answer;
      if (status !== 201) expect([status, body.code]).toEqual([401, 'session_expired']);
      expect(await stored.signedIn()).toEqual({});
      expect(await stored.records()).toEqual({});
      expect((await old.state()).state).not.toBe('active');
      expect(desk.log.of('end').map((event) => event.reason)).toEqual([reason]);
      if (onExpired === 'anonymous') await desk.close();
    }
  });

  it('C2 a logout while the record is being flushed, and the store is slow to read it', async () => {
    await open();
    const browser = await desk.signedIn();
    const slow = faults.hold('get', (key) => !isSession(key), 1);
    desk.clock.jump(1);
    await browser.user();
    const flush = desk.clock.advance(1);
    await slow.reached();
    const out = browser.post('/logout').then(({ status }) => status);
    await new Promise((resolve) => setImmediate(resolve));
    slow.release();
    await flush;
    expect(await out).toBe(201);
    await expectDead([browser], 'logout');
  });
});
