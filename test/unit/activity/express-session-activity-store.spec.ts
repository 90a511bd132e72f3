import { describe, expect, it } from '@jest/globals';
import session from 'express-session';
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
});
