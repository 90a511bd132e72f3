import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { UserSessions } from '../../../lib/activity/user-sessions.js';
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
  readonly users: UserSessions;
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
    const process: Process = {
      ...{ tracker: undefined as never, users: undefined as never },
      ...{ isCut: never, isUnanswered: never },
    };
    store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
    await store.open();
    const blobs = { destroy: (sessionId: string) => Promise.resolve(void removed.add(sessionId)) };
    const watched = new WatchedSessions(clock.now());
    const tracker = new ActivityTracker(store, watched, blobs, references, clock, 1000, 30_000);
    await tracker.open();
    tracker.recover();
    const allowance = { maxSessionsPerUser: null, onTooManySessions: 'end-oldest' } as const;
    const users = new UserSessions(tracker, store, watched, references, clock, allowance);
    return Object.assign(process, { tracker, users });
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

  it('C6 goes on under one of those that parallel requests on one process give it', async () => {
    one().rotate('old');
    const carried = ['mine', 'theirs'].map((to) => one().carry('old', to));
    expect((await Promise.all(carried)).filter(Boolean)).toHaveLength(1);
    expect(stored()).toHaveLength(1);
    const told = redis.shards.flatMap(({ stream }) => stream.entries.map(({ kind }) => kind));
    expect(told.sort()).toEqual(['moved', 'moved', 'start']);
    await server.advance(1);
    await other().end('old', 'logout');
    expect(stored()).toEqual([]);
  });

  it('C2 keeps the reason for its end, whatever is said of the old id later', async () => {
    await carry(one(), 'old', 'mine');
    await one().end('mine', 'logout');
    await other().end('old', 'logout');
    await one().end('old', 'revoked');
    const graves = redis.shards.flatMap(({ tombstones }) => [...tombstones.values()]);
    expect(graves.map((grave) => grave.split('/')[0])).toEqual(['logout', 'logout']);
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

  it.each([
    ['at once', 0, false],
    ['when the other process has heard of its new id', 1, false],
    ['when the other process has just written activity under the old id', 0, true],
    ['when the other process has written activity under the old id', 1, true],
  ])('C2 is ended so also %s', async (_, seconds, isActive) => {
    await server.advance(0.1);
    if (isActive) other().touch('old');
    await carry(one(), 'old', 'mine');
    if (isActive) await other().flush();
    expect(other().recall('old') === undefined).toBe(isActive);
    await server.advance(seconds);
    expect(other().isInUse('old')).toBe(true);
    await other().end('old', 'logout');
    expect(stored()).toEqual([]);
  });

  it.each([0, 1])('C6 is not ended by what has been read of it under the old id (%i s)', async (seconds) => {
    await carry(one(), 'old', 'mine');
    await server.advance(seconds);
    await other().buryLost('old');
    expect(stored()).toEqual(named('mine'));
    expect([...removed]).toEqual(['old']);
    expect([one().lives('mine'), other().lives('old')]).toEqual([true, false]);
  });

  it('C6 does not go on under yet another id on a process that has just found it gone', async () => {
    await server.advance(0.1);
    other().touch('old');
    await carry(one(), 'old', 'mine');
    await other().flush();
    other().rotate('old');
    expect(other().tombstone('old')).toMatchObject({
      reason: null,
      rotation: { session: { userId: 'anna' } },
    });
    expect(await other().carry('old', 'theirs')).toBe(false);
    expect(stored()).toEqual(named('mine'));
  });

  it('C6 does not go on under yet another id on a process that has heard of the new one', async () => {
    other().rotate('old');
    await carry(one(), 'old', 'mine');
    await server.advance(1);
    expect(await other().carry('old', 'theirs')).toBe(false);
    expect(stored()).toEqual(named('mine'));
  });

  it('C2 is ended with all of its user while it is being given another id', async () => {
    const [id, newId] = named('old', 'mine') as [string, string];
    await other().start('second', { userId: 'anna', limits: LIMITS });
    // Between the look into the index and the look at the record.
    processes[1]!.isCut = (command) => {
      const record = redis.shardOf(id).records.get(id);
      if (record && command[0] === 'GET') {
        redis.shardOf(newId).start(newId, record.lastActivityAt, record.constants, 1000, true);
        redis.shardOf(id).move(id, newId);
      }
      return false;
    };
    expect(await processes[1]!.users.endAll('anna', 'revoked')).toBe(2);
    expect(stored()).toEqual([]);
  });

  it('C6 is taken for one that goes on elsewhere only while requests may be under way', async () => {
    await one().setLimits('old', { warnAfter: 500, expireAfter: 600 });
    await carry(one(), 'old', 'mine');
    await carry(one(), 'mine', 'newest');
    expect([await one().goesOnElsewhere('new'), await other().goesOnElsewhere('old')]).toEqual([false, true]);
    await server.advance(31);
    expect(await other().goesOnElsewhere('old')).toBe(false);
  });

  describe('whose process dies before the old id is given up', () => {
    const told: string[] = [];
    beforeEach(async () => {
      await server.advance(1);
      told.splice(0);
      other().signals.subscribe(({ kind }) => told.push(kind));
      let isDead = false;
      processes[0]!.isCut = (command) => (isDead ||= isMove(command));
    });

    it('C6 goes on under the old one; of the other nobody hears, and nothing is left', async () => {
      await carry(one(), 'old', 'mine');
      expect(stored().sort()).toEqual(named('old', 'mine').sort());
      for (let second = 0; second < 9; second++) {
        await server.advance(1);
        other().touch('old');
      }
      expect(told).toEqual([]);
      expect(stored()).toEqual(named('old'));
      expect([...removed]).toContain('mine');
      await server.advance(15);
      expect(told).toEqual(['warn', 'end']);
    });

    it('C6 what is left is cleared away within minutes, however long its time is', async () => {
      await one().setLimits('old', { warnAfter: 3000, expireAfter: 3600 });
      await carry(one(), 'old', 'mine');
      await server.advance(290);
      expect(stored().sort()).toEqual(named('old', 'mine').sort());
      await server.advance(20);
      expect(stored()).toEqual(named('old'));
    });

    it('C6 is kept under the new id where it is in use on another process', async () => {
      await carry(one(), 'old', 'mine');
      for (let second = 0; second < 9; second++) {
        await server.advance(1);
        if (second === 0) await other().locate('mine');
        other().touch('mine');
      }
      expect(stored()).toContain(references.ofSession('mine'));
      await server.advance(15);
      expect(told.filter((kind) => kind === 'end')).toHaveLength(2);
    });
  });

  describe('V4 while somebody waits for its end on another process', () => {
    let told: string[];
    const wait = (sessionId: string): void => {
      other()
        .ended(sessionId)
        .subscribe((reason) => told.push(`${sessionId}: ${reason}`));
    };
    beforeEach(() => {
      told = [];
      wait('old');
    });

    it('who waits is told of its end under the new id, and not before', async () => {
      await carry(one(), 'old', 'mine');
      for (let second = 0; second < 30; second++) {
        one().touch('mine');
        await server.advance(1);
      }
      expect(told).toEqual([]);
      await one().end('mine', 'logout');
      await server.advance(1);
      expect(told).toEqual(['old: logout']);
    });

    it('who waits is not told where the old id is asked for before the new one is heard of', async () => {
      await carry(one(), 'old', 'mine');
      expect(await other().settle('old')).toBe('replaced');
      expect(await other().goesOnElsewhere('old')).toBe(true);
      await server.advance(2);
      expect(told).toEqual([]);
      await one().end('mine', 'logout');
      await server.advance(1);
      expect(told).toEqual(['old: logout']);
      expect(await other().goesOnElsewhere('old')).toBe(false);
    });

    it('who waits is told when its time is over, after it has been given yet another id', async () => {
      await carry(one(), 'old', 'mine');
      await server.advance(2);
      await carry(one(), 'mine', 'newest');
      await server.advance(6);
      expect(told).toEqual([]);
      await server.advance(6);
      expect(told).toEqual(['old: idle']);
    });

    it.each(['mine', 'own', 'newest', 'first', 'last'])(
      'who waits is told when the end is heard of together with the new id, in whichever order (%s)',
      async (next) => {
        await carry(one(), 'old', next);
        await one().end(next, 'logout');
        await server.advance(1);
        expect(told).toEqual(['old: logout']);
      },
    );

    it('who waits is told when the record is lost, at the end of its time', async () => {
      await carry(one(), 'old', 'mine');
      await server.advance(2);
      for (const { records, deadlines } of redis.shards) [records, deadlines].forEach((lost) => lost.clear());
      await server.advance(12);
      expect(told).toEqual(['old: revoked']);
    });

    it('all are told who wait under either id', async () => {
      await carry(one(), 'old', 'mine');
      await other().locate('mine');
      wait('mine');
      await server.advance(1);
      expect(told).toEqual([]);
      await one().end('mine', 'logout');
      await server.advance(1);
      expect(told.sort()).toEqual(['mine: logout', 'old: logout']);
    });
  });
});

function never(): boolean {
  return false;
}
