import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';

const SECRET = 'the secret of all processes, long enough';
const LIMITS = { warnAfter: 5, expireAfter: 10 };

describe('records that a shared store has lost', () => {
  let server: VirtualClock;
  let redis: RedisModel;
  let isAway: boolean;
  let tracker: ActivityTracker;
  /** Why the session ended, as somebody has been told who has waited for it. */
  let told: unknown[];
  const references = new SessionReferences(SECRET);

  beforeEach(async () => {
    server = new VirtualClock();
    redis = new RedisModel(2, () => server.now());
    isAway = false;
    const store = new RedisActivityStore({ client: { sendCommand: send }, shards: 2 });
    const clock = store.synchronize(server);
    store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
    await store.open();
    const watched = new WatchedSessions(clock.now());
    const blobs = { destroy: () => Promise.resolve() };
    tracker = new ActivityTracker(store, watched, blobs, references, clock, 1000, 30_000);
    await tracker.open();
    await server.advance(5);
    await tracker.start('sid', { userId: 'anna', limits: LIMITS });
    told = [];
    tracker.ended('sid').subscribe((reason) => told.push(reason));
  });
  afterEach(() => tracker.close());

  const send = (command: string[]): Promise<unknown> =>
    isAway
      ? Promise.reject(new Error('connect ECONNREFUSED'))
      : new Promise((resolve) => resolve(JSON.parse(JSON.stringify(redis.carryOut(command)))));
  const shard = () => redis.shardOf(references.ofSession('sid'));
  const lose = (): void => {
    shard().records.clear();
    shard().deadlines.clear();
  };
  const isActive = (): unknown => tracker.touch('sid');

  it('V4 end for who waits, at the next activity', async () => {
    await server.advance(3);
    lose();
    isActive();
    await server.advance(1.5);
    expect(told).toEqual(['revoked']);
  });

  it('V4 end for who waits, without activity when the time is over', async () => {
    lose();
    await server.advance(9.5);
    expect(told).toEqual([]);
    await server.advance(1.5);
    expect(told).toEqual(['idle']);
  });

  it('V4 end for who waits also when the store is away at that moment', async () => {
    await server.advance(3);
    isActive();
    await server.advance(1.5);
    lose();
    isAway = true;
    await server.advance(12);
    expect(told).toEqual([]);
    isAway = false;
    await server.advance(4);
    expect(told).toEqual(['idle']);
  });

  it('keep the true reason where there was one, and nobody from staying whose activity is elsewhere', async () => {
    const id = references.ofSession('sid');
    for (let second = 0; second < 15; second++) {
      await server.advance(1);
      shard().touch(id, server.now(), '', 1000);
    }
    expect(told).toEqual([]);
    // Another process ends it just before this one writes.
    isActive();
    shard().end(id, 'logout', 'end');
    await tracker.flush();
    await server.advance(1);
    expect(told).toEqual(['logout']);
  });
});
