import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { RedisServer } from '../support/redis-server.js';
import { median, quantile, type Report, rounded } from '../support/report.js';
import { AT_ONCE, forEachOf, slices } from './batches.js';
import { claimTimes } from './claims.js';
import { openStore } from './open-store.js';

const SESSIONS = 100_000;
const TOUCH_SLICE = 500;
/** Longer than it takes to start them all; a shortening then makes them due. */
const LONG = { warnAfter: 3000, expireAfter: 3600, maxLifetime: null };
const SHORT = { warnAfter: 0.1, expireAfter: 0.2, maxLifetime: null };

interface Kept {
  readonly id: string;
  readonly life: number;
  readonly userId?: string;
}

/** Memory, activity and ends of many sessions, without any application. */
export async function measureStore(say: (line: string) => void): Promise<Omit<Report, 'title'>> {
  const redis = await RedisServer.start();
  const { client, references, store, clock } = await openStore(redis.socket);
  /** Untold, so that memory is that of the sessions alone. */
  const start = async (withUsers: boolean): Promise<Kept[]> => {
    const kept: Kept[] = [];
    await forEachOf(SESSIONS, async (number) => {
      const [sessionId, now] = [randomBytes(24).toString('base64url'), clock.now()];
      const user = withUsers ? { userId: `user-${1_000_000 + number}` } : {};
      const session = { id: references.ofSession(sessionId), life: number, ...user };
      await store.start({ ...session, startedAt: now, lastActivityAt: now, limits: LONG }, sessionId, true);
      kept.push(session);
    });
    return kept;
  };
  /** Makes sessions due at once. */
  const shorten = async (sessions: readonly Kept[]): Promise<void> => {
    const startedAt = clock.now();
    for (const batch of slices(sessions, AT_ONCE)) {
      const adjusted = batch.map((session) =>
        store.adjust({ ...session, limits: SHORT, startedAt, lastActivityAt: startedAt }),
      );
      await Promise.all(adjusted);
    }
    // Somebody has to look, or nobody is ended until it is certain that all processes are back.
    for (let waited = 0; waited < 4000; waited += 500) {
      await pause(500);
      await store.due(clock.now(), 0);
    }
  };
  /** Works off so many sessions that are due, as the looks of one process do. */
  const drain = async (count: number): Promise<void> => {
    for (let left = count; left > 0;) {
      const { due } = await store.due(clock.now(), AT_ONCE);
      store.takeNews();
      left -= due.filter(({ kind }) => kind === 'expire').length;
    }
  };
  try {
    const empty = await redis.usedMemory();
    say(`${SESSIONS} sessions without users`);
    const anonymous = await start(false);
    const withoutUsers = ((await redis.usedMemory()) - empty) / SESSIONS;
    for (const batch of slices(anonymous, AT_ONCE))
      await Promise.all(batch.map(({ id }) => store.end(id, 'logout')));
    await redis.reset();
    await store.due(clock.now(), AT_ONCE);

    say(`${SESSIONS} sessions with users`);
    const before = await redis.usedMemory();
    const sessions = await start(true);
    const withUsers = ((await redis.usedMemory()) - before) / SESSIONS;

    say('activity of all, in batches');
    const perTouch = await perSession(redis, SESSIONS, async () => {
      for (const batch of slices(sessions, TOUCH_SLICE)) {
        const lastActivityAt = clock.now();
        await store.touch(batch.map(({ id }) => ({ id, lastActivityAt })));
      }
    });

    let handled = 0;
    // As in every application, which removes the data of ended sessions so.
    store.deliver('handlers', () => Promise.resolve(void handled++), ['end']);
    const [unlogged, logged] = [sessions.slice(0, SESSIONS / 2), sessions.slice(SESSIONS / 2)];
    say(`the end of ${unlogged.length}`);
    await shorten(unlogged);
    const begun = performance.now();
    let recordedIn = 0;
    const usedBefore = process.cpuUsage();
    const perExpiry = await perSession(redis, unlogged.length, async () => {
      await drain(unlogged.length);
      recordedIn = performance.now() - begun;
      while (handled < unlogged.length) await store.due(clock.now(), AT_ONCE);
    });
    const handledIn = performance.now() - begun;
    const used = process.cpuUsage(usedBefore);
    const ownPerExpiry = (used.user + used.system) / unlogged.length;
    say(`the end of ${logged.length}, with a log of the looks`);
    await shorten(logged);
    const claims = await claimTimes(client, () => drain(logged.length));
    const [usual, slow] = [median(claims), quantile(claims, 0.99)];
    await store.close();
    return {
      tables: [
        {
          caption: `${SESSIONS} sessions in 16 shards, session ids of 32 characters, user ids of 12, one process`,
          columns: ['per session', 'measured'],
          rows: [
            ['memory, without a user', `${rounded(withoutUsers)} bytes`],
            ['memory, with user and index of users', `${rounded(withUsers)} bytes`],
            ['activity, written in batches: processor time of Redis', `${rounded(perTouch)} µs`],
            ['end, recorded, told and handled: processor time of Redis', `${rounded(perExpiry)} µs`],
            ['the same: processor time of the process that does it all', `${rounded(ownPerExpiry)} µs`],
            [
              `ends recorded, ${unlogged.length} of them`,
              `${rounded(unlogged.length / (recordedIn / 1000))} a second`,
            ],
            ['ends recorded and handled', `${rounded(unlogged.length / (handledIn / 1000))} a second`],
            ['look that works off 80 sessions, median', `${rounded(usual)} ms`],
            ['look that works off 80 sessions, 99 of 100 faster than', `${rounded(slow)} ms`],
          ],
        },
      ],
      targets: [
        { what: 'memory with user index', measured: withUsers, unit: 'bytes', atMost: 450 },
        { what: 'Redis per touch', measured: perTouch, unit: 'µs', atMost: 25 },
        {
          what: 'ends recorded and handled',
          measured: unlogged.length / (handledIn / 1000),
          unit: '/s',
          atLeast: 20_000,
        },
        { what: 'look that works off 80 sessions, median', measured: usual, unit: 'ms', atMost: 3 },
      ],
    };
  } finally {
    client.destroy();
    await redis.stop();
  }
}

/** The processor time that Redis takes for the work, in microseconds for each session. */
async function perSession(redis: RedisServer, count: number, work: () => Promise<void>): Promise<number> {
  const before = await redis.processorMicroseconds();
  await work();
  return ((await redis.processorMicroseconds()) - before) / count;
}
