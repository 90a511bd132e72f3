import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { StoreFailure } from '../../../lib/activity/store-calls.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';

const SECRET = 'the secret of all processes, long enough';
const LIMITS = { warnAfter: 5, expireAfter: 10 };

describe('the beginning of a session that reaches Redis when another process has ended it', () => {
  let server: VirtualClock;
  let redis: RedisModel;
  /** Commands of the one process lie on their way, until they are let go. */
  let isStalled: boolean;
  let letGo: (() => void)[];
  let trackers: ActivityTracker[];
  const references = new SessionReferences(SECRET);

  const boot = async (isStallable: boolean): Promise<ActivityTracker> => {
    const send = (command: string[]): Promise<unknown> =>
      new Promise((resolve) => {
        const carryOut = (): void => resolve(JSON.parse(JSON.stringify(redis.carryOut(command))));
        if (isStallable && isStalled) letGo.push(carryOut);
        else carryOut();
      });
    const store = new RedisActivityStore({ client: { sendCommand: send }, shards: 2 });
    const clock = store.synchronize(server);
    store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
    await store.open();
    const blobs = { destroy: () => Promise.resolve() };
    const watched = new WatchedSessions(clock.now());
    const tracker = new ActivityTracker(store, watched, blobs, references, clock, 1000, 30_000);
    await tracker.open();
    return tracker;
  };

  beforeEach(async () => {
    server = new VirtualClock();
    redis = new RedisModel(2, () => server.now());
    isStalled = false;
    letGo = [];
    trackers = [await boot(true), await boot(false)];
    await server.advance(5);
  });
  afterEach(() => Promise.all(trackers.map((tracker) => tracker.close())));

  const one = (): ActivityTracker => trackers[0]!;
  const other = (): ActivityTracker => trackers[1]!;
  const shard = () => redis.shardOf(references.ofSession('sid'));
  const told = (): string[] =>
    shard().stream.entries.map(({ kind, record }) => `${kind} of ${record.userId}`);
  const signIn = (tracker: ActivityTracker, userId: string) =>
    tracker.start('sid', { userId, limits: LIMITS });

  /** One process sends a beginning, another begins the same session and ends it, and then Redis hears of the first. */
  const beginLate = async (): Promise<unknown> => {
    isStalled = true;
    const outcome = signIn(one(), 'anna').catch((error: unknown) => error);
    await server.pass(1);
    await signIn(other(), 'anna');
    await server.pass(1);
    await other().end('sid', 'logout');
    await server.pass(0.1);
    isStalled = false;
    for (const carryOut of letGo.splice(0)) carryOut();
    return outcome;
  };

  it('C8 does not wake it', async () => {
    expect(await beginLate()).toBeInstanceOf(StoreFailure);
    expect(shard().records.size).toBe(0);
    await server.advance(3);
    expect(told()).toEqual(['start of anna', 'end of anna']);
    expect(await other().locate('sid')).toBeUndefined();
  });

  it('keeps nobody from signing in after that under the same id, on either process', async () => {
    await beginLate();
    await signIn(one(), 'ben');
    // What is owed for the beginning that failed is not done to who has come since.
    await server.advance(1.5);
    expect([...shard().records.values()].map(({ userId }) => userId)).toEqual(['ben']);
    await one().end('sid', 'logout');
    await signIn(other(), 'cleo');
    expect(told().slice(2)).toEqual(['start of ben', 'end of ben', 'start of cleo']);
  });
});
