import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';

const SECRET = 'the secret of all processes, long enough';
const LIMITS = { warnAfter: 5, expireAfter: 10 };
const SHARDS = 4;

/** A process, with its connection to Redis. */
interface Process {
  readonly tracker: ActivityTracker;
  /** Commands that do not reach Redis. */
  isCut: (command: readonly string[]) => boolean;
  /** Commands whose answer does not come back. */
  isUnanswered: (command: readonly string[]) => boolean;
}

describe('a session that is given another id where several processes share a store', () => {
  let server: VirtualClock;
  let redis: RedisModel;
  let processes: Process[];
  let removed: Set<string>;
  const references = new SessionReferences(SECRET);

  const boot = async (): Promise<Process> => {
    const send = (command: string[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (process.isCut(command)) return reject(new Error('the connection is lost'));
        const answer: unknown = JSON.parse(JSON.stringify(redis.carryOut(command)));
        if (process.isUnanswered(command)) reject(new Error('the connection is lost'));
        else resolve(answer);
      });
    const store = new RedisActivityStore({ client: { sendCommand: send }, shards: SHARDS });
    const clock = store.synchronize(server);
    const process: Process = { tracker: undefined as never, isCut: never, isUnanswered: never };
    store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
    await store.open();
    const blobs = { destroy: (sessionId: string) => Promise.resolve(void removed.add(sessionId)) };
    const watched = new WatchedSessions(clock.now());
    const tracker = new ActivityTracker(store, watched, blobs, references, clock, 1000, 30_000);
    await tracker.open();
    tracker.recover();
    return Object.assign(process, { tracker });
  };

  beforeEach(async () => {
    server = new VirtualClock();
    redis = new RedisModel(SHARDS, () => server.now());
    removed = new Set();
    processes = [await boot(), await boot()];
    await server.advance(5);
    await one().start('old', { userId: 'anna', limits: LIMITS });
    await other().locate('old');
  });
  afterEach(() => Promise.all(processes.map(({ tracker }) => tracker.close())));

  const one = (): ActivityTracker => processes[0]!.tracker;
  const other = (): ActivityTracker => processes[1]!.tracker;
  const carry = (tracker: ActivityTracker, from: string, to: string): Promise<boolean> => {
    tracker.rotate(from);
    return tracker.carry(from, to);
  };
  const stored = (): string[] => redis.shards.flatMap(({ records }) => [...records.keys()]);
  const named = (...sessionIds: string[]): string[] => sessionIds.map((id) => references.ofSession(id));
  /** Only to move a session takes both ids. */
  const isMove = (command: readonly string[]): boolean =>
    named('old', 'mine').every((id) => command.includes(id));

  it('C6 goes on under the first, on whichever process; the other is nobody’s', async () => {
    expect(await carry(one(), 'old', 'mine')).toBe(true);
    expect(await carry(other(), 'old', 'theirs')).toBe(false);
    expect(stored()).toEqual(named('mine'));
    expect([...removed]).toEqual(['theirs']);
    expect(await other().locate('theirs')).toBeUndefined();
    await one().end('mine', 'logout');
    expect(stored()).toEqual([]);
  });

  it('C6 goes on when Redis has heard of it and its answer was lost', async () => {
    processes[0]!.isUnanswered = isMove;
    expect(await carry(one(), 'old', 'mine')).toBe(true);
    await server.advance(2);
    processes[0]!.isUnanswered = never;
    await server.advance(2);
    expect(stored()).toEqual(named('mine'));
    expect(one().lives('mine')).toBe(true);
  });

  it('C6 goes on under one id when one of two processes reaches Redis too late', async () => {
    processes[0]!.isCut = isMove;
    expect(await carry(one(), 'old', 'mine')).toBe(true);
    expect(await carry(other(), 'old', 'theirs')).toBe(true);
    processes[0]!.isCut = never;
    await server.advance(3);
    expect(stored()).toEqual(named('theirs'));
    expect([one().lives('mine'), other().lives('theirs')]).toEqual([false, true]);
  });

  it('C2 does not go on when another process has ended it, and the reason stays', async () => {
    await one().end('old', 'revoked');
    expect(await carry(other(), 'old', 'theirs')).toBe(false);
    expect(stored()).toEqual([]);
    await server.advance(1);
    expect(await other().findTombstone('old')).toMatchObject({ reason: 'revoked' });
  });

  it('C2 is ended under its new id by a sign-out under the old one, and its data is removed', async () => {
    await carry(one(), 'old', 'mine');
    await other().end('old', 'logout');
    expect(stored()).toEqual([]);
    await server.advance(1);
    expect(one().lives('mine')).toBe(false);
    expect([...removed]).toContain('mine');
  });
});

function never(): boolean {
  return false;
}
