import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { onExpress } from '../support/adapters.js';
import { type Behaviour, Faults } from '../support/stores/faults.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

const yard = new StoreYard();
afterAll(() => yard.close());

const ERRORS = ['throws', 'rejects', 'fails'] as const satisfies Behaviour[];

describe.each(STORE_KINDS)('C9 the $kind store is away', ({ kind }) => {
  let desk: WatchedApp;
  let stored: TestStore;
  let faults: Faults;
  const open = async (security: SessionSecurityOptionsInput = {}): Promise<void> => {
    stored = await yard.create(kind);
    faults = new Faults(stored.store);
    desk = await WatchedApp.start({
      store: stored.store,
      security: { flushInterval: 1, storeTimeout: 1, ...security },
    });
  };
  afterEach(async () => {
    faults.behaviour = 'sound';
    await desk.close();
    await yard.clear();
  });

  /** Everybody as nobody; what they had is still there. */
  const expectNobodySignedIn = async (...browsers: Browser[]): Promise<void> => {
    for (const browser of browsers) {
      const cookies = new Map(browser.cookies);
      expect(await browser.user()).toBeNull();
      expect(browser.cookies).toEqual(cookies);
    }
    expect(desk.log.of('end')).toEqual([]);
  };

  it.each(ERRORS)(
    'C9 while it %s nobody is signed in, nobody is ended, and afterwards all goes on',
    async (behaviour) => {
      await open();
      const [anna, ben] = [await desk.signedIn('anna'), await desk.signedIn('ben')];
      faults.behaviour = behaviour;
      await expectNobodySignedIn(anna, ben, desk.browser());
      await desk.clock.advance(4);
      await expectNobodySignedIn(anna);
      faults.behaviour = 'sound';
      await desk.clock.advance(5);
      expect([await anna.user(), await ben.user()]).toEqual(['anna', 'ben']);
      expect(desk.log.of('start')).toHaveLength(2);
      expect(desk.log.of('end')).toEqual([]);
    },
  );

  it('C9 while it does not answer, a request waits for storeTimeout and goes on as nobody', async () => {
    await open();
    const anna = await desk.signedIn();
    faults.behaviour = 'hangs';
    const arrival = faults.next('get');
    const asked = anna.user();
    await arrival;
    await desk.clock.pass(3);
    expect(await asked).toBeNull();
    faults.behaviour = 'sound';
    // What still waits for an answer is given up too.
    await desk.clock.pass(3);
    expect(await anna.user()).toBe('anna');
    expect(desk.log.of('end')).toEqual([]);
  });

  it.each(ERRORS)(
    "C9 while it %s, 'unavailable' answers 503 with Retry-After, but signing in stays possible",
    async (behaviour) => {
      await open({ onStoreFailure: 'unavailable' });
      const anna = await desk.signedIn();
      faults.behaviour = behaviour;
      const answer = await anna.get('/whoami').expect(503);
      expect([answer.body.code, answer.headers['retry-after']]).toEqual(['session_store_unavailable', '5']);
      expect((await anna.get('/login')).status).toBe(200);
      faults.behaviour = 'sound';
      expect(await anna.user()).toBe('anna');
      expect(desk.log.of('end')).toEqual([]);
    },
  );

  it.each(ERRORS)(
    'C9 a session whose time runs out while it %s is ended once it is back, once, and lets nobody in before',
    async (behaviour) => {
      await open();
      const begin = desk.clock.now();
      const anna = await desk.signedIn();
      faults.behaviour = behaviour;
      await desk.clock.advance(15);
      expect(await anna.user()).toBeNull();
      faults.behaviour = 'sound';
      await desk.clock.advance(3);
      expect(await anna.user()).toBeNull();
      const [expired, ...more] = desk.log.of('expire');
      expect(more).toEqual([]);
      expect(expired.dueAt - begin).toBe(10_000);
      expect(await stored.signedIn()).toEqual({});
      expect(await stored.records()).toEqual({});
    },
  );

  it('C9 activity that it could not be told of counts once it is back', async () => {
    await open();
    const anna = await desk.signedIn();
    await desk.clock.advance(4);
    faults.behaviour = 'fails';
    await desk.clock.advance(2);
    expect(await anna.user()).toBeNull();
    await desk.clock.advance(3);
    faults.behaviour = 'sound';
    // 12 s after the sign-in, 6 s after somebody was last seen.
    await desk.clock.advance(3);
    expect(desk.log.of('end')).toEqual([]);
    expect(await anna.user()).toBe('anna');
  });

  it.each(ERRORS)('C9 a sign-out is final although destroy %s', async (behaviour) => {
    await open();
    const anna = await desk.signedIn();
    const copy = anna.copy();
    faults.affects = (_, method) => method === 'destroy';
    faults.behaviour = behaviour;
    await anna.post('/logout').expect(201);
    expect(await copy.user()).toBeNull();
    faults.behaviour = 'sound';
    await desk.clock.advance(3);
    expect(await copy.user()).toBeNull();
    expect(await stored.signedIn()).toEqual({});
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['logout']);
  });

  it('C9 answers that come twice, the second time as an error, change nothing', async () => {
    await open();
    faults.behaviour = 'doubles';
    const anna = await desk.signedIn();
    await desk.clock.advance(6);
    expect(await anna.user()).toBe('anna');
    await desk.clock.advance(12);
    expect(await anna.user()).toBeNull();
    expect(desk.log.events.map(({ kind }) => kind)).toEqual([
      'start',
      'warn',
      'renew',
      'warn',
      'expire',
      'end',
    ]);
  });

  onExpress(
    "C9 after its 'disconnect' requests have no session: nobody is signed in, nobody is ended",
    async () => {
      await open();
      const anna = await desk.signedIn();
      stored.store.emit('disconnect');
      await expectNobodySignedIn(anna, desk.browser());
      // A page is not told a state that nobody knows: it asks again.
      expect((await anna.get('/session-security/ping').expect(503)).headers['retry-after']).toBe('5');
      stored.store.emit('connect');
      expect(await anna.user()).toBe('anna');
      expect(desk.messages.matching(/has disconnected/)).toHaveLength(1);
    },
  );
});

describe('C9 the very first request of a process, before its store is known', () => {
  it('is answered as all others while the store fails, and what is logged names no session', async () => {
    const store = new MemoryStore();
    let desk = await WatchedApp.start({ store });
    const browser = await desk.signedIn();
    const { clock } = desk;
    await desk.close();
    const get = store.get.bind(store);
    store.get = (sessionId, callback) => callback(new Error(`cannot open /sessions/${sessionId}.json`));
    desk = await WatchedApp.start({ store, clock, security: { onStoreFailure: 'unavailable' } });
    browser.moveTo(desk);
    const statuses = [await browser.get('/whoami'), await browser.get('/whoami')].map(({ status }) => status);
    store.get = get;
    expect(statuses).toEqual([503, 503]);
    expect(desk.messages.matching(/cannot open/)).toHaveLength(1);
    expect(desk.messages.matching(new RegExp(browser.sessionId))).toEqual([]);
    expect(await browser.user()).toBe('anna');
    await desk.close();
  });
});
