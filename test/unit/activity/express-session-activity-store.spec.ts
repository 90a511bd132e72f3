import { beforeEach, describe, expect, it } from '@jest/globals';
import session from 'express-session';
import type { ActivityRecord } from '../../../lib/activity/activity-record.js';
import { StoreCalls, StoreFailure } from '../../../lib/activity/store-calls.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { ExpressSessionActivityStore } from '../../../lib/activity/stores/express-session-activity-store.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import { VirtualClock } from '../../../lib/testing/index.js';

const STORE_TIMEOUT_MS = 1000;
const FLUSH_INTERVAL_MS = 10_000;

/** The store of records over a session store. */
function storeOver(sessions: session.Store): { store: ExpressSessionActivityStore; clock: VirtualClock } {
  const clock = new VirtualClock();
  const store = new ExpressSessionActivityStore(
    new WatchedSessions(clock.now()),
    new SessionReferences(),
    clock,
    new StoreCalls(clock, STORE_TIMEOUT_MS),
    FLUSH_INTERVAL_MS,
  );
  store.attach(sessions);
  return { store, clock };
}

describe('records beside the blobs', () => {
  it('activity and limits of somebody who was replaced under the same session id do not reach who took their place', async () => {
    const { store, clock } = storeOver(new session.MemoryStore());
    const startedAt = clock.now();
    const limits = { warnAfter: 5, expireAfter: 10, maxLifetime: null };
    const first = { id: 'record', life: 1, startedAt, lastActivityAt: startedAt, limits };
    const second = { ...first, life: 2 };
    await store.start(first);
    await store.start(second);
    clock.jump(1);
    expect(await store.touch([{ id: 'record', life: 1, lastActivityAt: clock.now() }])).toEqual([]);
    await store.adjust({ ...first, limits: { ...limits, expireAfter: 20 } });
    expect(await store.find('record')).toEqual(second);
    await store.touch([{ id: 'record', life: 2, lastActivityAt: clock.now() }]);
    expect(await store.find('record')).toEqual({ ...second, lastActivityAt: clock.now() });
  });

  it('C9 a record that is gone although its removal failed is not taken for lost by a flush', async () => {
    const sessions = new session.MemoryStore();
    const destroy = sessions.destroy.bind(sessions);
    const { store, clock } = storeOver(sessions);
    const now = clock.now();
    const record = {
      id: 'record',
      life: 1,
      startedAt: now,
      lastActivityAt: now,
      limits: { warnAfter: 5, expireAfter: 10, maxLifetime: null },
    };
    await store.start(record);

    // The store does what it is told, and its answer is lost.
    sessions.destroy = (id, callback) => destroy(id, () => callback?.(new Error('reset by peer')));
    await expect(store.end('record')).rejects.toThrow(StoreFailure);
    expect(await store.touch([{ id: 'record', lastActivityAt: now }])).toEqual([]);

    sessions.destroy = destroy;
    expect(await store.end('record')).toMatchObject(record);
    expect(await store.touch([{ id: 'record', lastActivityAt: now }])).toEqual(['record']);
  });

  describe('C9 a change that the store carries out long after it was given up', () => {
    const limits = { warnAfter: 5, expireAfter: 10, maxLifetime: null };
    let sessions: session.MemoryStore;
    let store: ExpressSessionActivityStore;
    let clock: VirtualClock;
    let first: ActivityRecord;
    let second: ActivityRecord;
    beforeEach(() => {
      sessions = new session.MemoryStore();
      ({ store, clock } = storeOver(sessions));
      first = { id: 'record', life: 1, startedAt: clock.now(), lastActivityAt: clock.now(), limits };
      second = { ...first, life: 2 };
    });

    /** Gives a change up; answers what lets the store carry it out, until what is done then has begun. */
    const givenUp = async (
      method: 'set' | 'destroy',
      change: () => unknown,
    ): Promise<() => Promise<void>> => {
      const methods = sessions as unknown as Record<string, (...given: unknown[]) => void>;
      const original = methods[method]!.bind(sessions);
      let carryOut = (): Promise<void> => Promise.reject(new Error('nothing was to be changed'));
      methods[method] = (...given) => {
        const answer = given.pop() as () => void;
        carryOut = () => new Promise((resolve) => original(...given, () => (answer(), resolve())));
      };
      const failure = expect(change()).rejects.toThrow(StoreFailure);
      // What comes before it is read first.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      await clock.advance(3);
      await failure;
      methods[method] = original;
      return () => carryOut();
    };

    /** Whatever changes a record waits for what changes it already. */
    const putRight = (): Promise<unknown> =>
      store.touch([{ id: 'record', life: 0, lastActivityAt: clock.now() }]);

    it('as a removal, leaves the record that has begun since', async () => {
      await store.start(first);
      const carryOut = await givenUp('destroy', () => store.end('record'));
      await store.start(second);
      clock.jump(1);
      await store.touch([{ id: 'record', life: 2, lastActivityAt: clock.now() }]);
      await carryOut();
      await putRight();
      expect(await store.find('record')).toEqual({ ...second, lastActivityAt: clock.now() });
    });

    it('as a removal, is seen by no flush before it is put right', async () => {
      await store.start(first);
      const carryOut = await givenUp('destroy', () => store.end('record'));
      await store.start(second);
      // Removed, and the store has not answered yet.
      await new Promise<void>((resolve) => sessions.clear(() => resolve()));
      clock.jump(1);
      expect(await store.touch([{ id: 'record', life: 2, lastActivityAt: clock.now() }])).toEqual([]);
      expect(await store.find('record')).toEqual({ ...second, lastActivityAt: clock.now() });
      await carryOut();
    });

    it('as a removal, is no end that is told to nobody', async () => {
      await store.start(first);
      await givenUp('destroy', () => store.end('record'));
      await store.start(second);
      await new Promise<void>((resolve) => sessions.clear(() => resolve()));
      expect(await store.end('record')).toEqual(second);
      expect(await store.end('record')).toBeUndefined();
    });

    it('as a write, takes back nothing that has been written of the same session since', async () => {
      await store.start(first);
      const carryOut = await givenUp('set', () => store.adjust(first));
      const since = { startedAt: clock.now(), lastActivityAt: clock.now() };
      const restarted = { ...first, ...since, limits: { ...limits, expireAfter: 8 } };
      await store.adjust(restarted);
      await carryOut();
      await putRight();
      expect(await store.find('record')).toEqual(restarted);
    });

    it('as a write, brings back no record that has ended since', async () => {
      const carryOut = await givenUp('set', () => store.start(first));
      await store.end('record');
      await carryOut();
      await putRight();
      expect(await store.find('record')).toBeUndefined();
    });

    it('as a write, brings back no record that has ended since, also where the store fails again', async () => {
      const carryOut = await givenUp('set', () => store.start(first));
      await store.end('record');
      const get = sessions.get.bind(sessions);
      sessions.get = (_id, callback) => callback(new Error('busy'));
      await carryOut();
      await putRight().catch(() => undefined);
      sessions.get = get;
      expect(await store.find('record')).toBeDefined();
      await store.due(clock.now(), 100);
      await putRight();
      expect(await store.find('record')).toBeUndefined();
    });

    it('as a write, does not take the place of the record that has begun since', async () => {
      const carryOut = await givenUp('set', () => store.start(first));
      await store.end('record');
      await store.start(second);
      await carryOut();
      await putRight();
      expect(await store.find('record')).toEqual(second);
    });
  });
});
