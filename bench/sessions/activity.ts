/** What touches and ticks cost with very many watched sessions. */
import { SystemClock } from '../../lib/activity/clock.js';
import { median, quantile } from '../support/report.js';
import { Engine, LIMITS, ManualClock, sessionIds, userIds } from './engine.js';
import { BlockTimer } from './standstill.js';

export interface Activity {
  readonly touchMicroseconds: number;
  /** The least that anybody can do: a `Map` of objects, and a new instant in one of them. */
  readonly mapMicroseconds: number;
  readonly tickMedianMs: number;
  readonly tickWorstMs: number;
}

const BLOCK = 100_000;
/** Of each kind, in turn. The first ones are not counted: the compiler is still at work. */
const BLOCKS = 22;
const WARM_UP_BLOCKS = 2;
const TICKS = 120;
const WARM_UP_TICKS = 30;
/** Between two requests of a session on the average; so many sessions make 1/60 as many requests a second. */
const REQUEST_INTERVAL_SECONDS = 60;

export async function measureActivity(count: number): Promise<Activity> {
  const ids = sessionIds(count);
  const costs = touchCosts(ids);
  const ticks = await tickTimes(ids);
  return {
    ...costs,
    tickMedianMs: quantile(ticks, 0.5),
    tickWorstMs: Math.max(...ticks),
  };
}

/** The call that the guard makes, on sessions in random order. */
function touchCosts(ids: readonly string[]): Pick<Activity, 'touchMicroseconds' | 'mapMicroseconds'> {
  const engine = new Engine(new SystemClock(), Infinity);
  for (const id of ids) engine.watch(id, Math.random() * 500_000);
  const sessions = new Map(ids.map((id) => [id, { lastActivityAt: 0 }]));
  const touches: number[] = [];
  const changes: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    touches.push(microsecondsEach(ids, (id) => engine.tracker.touch(id)));
    changes.push(microsecondsEach(ids, (id) => (sessions.get(id)!.lastActivityAt = Date.now())));
  }
  return {
    touchMicroseconds: median(touches.slice(WARM_UP_BLOCKS)),
    mapMicroseconds: median(changes.slice(WARM_UP_BLOCKS)),
  };
}

/** Processor time of one call, over a block of them. */
function microsecondsEach(ids: readonly string[], call: (id: string) => unknown): number {
  // Each request brings its session id as a string of its own.
  const order = Array.from({ length: BLOCK }, () =>
    Buffer.from(ids[Math.floor(Math.random() * ids.length)]!).toString('latin1'),
  );
  const before = process.cpuUsage();
  for (const id of order) call(id);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / BLOCK;
}

/**
 * Ticks of the steady state, without the flush: everybody goes on working, so nobody's deadline is near, but each
 * session's place in the wheel comes up once in `warnAfter` seconds.
 */
async function tickTimes(ids: readonly string[]): Promise<number[]> {
  const clock = new ManualClock();
  const engine = new Engine(clock, Infinity);
  const users = userIds(ids.length);
  ids.forEach((id, index) => engine.watch(id, Math.random() * LIMITS.warnAfter * 1000, users[index]));
  for (const id of ids) engine.tracker.touch(id, -Math.log(Math.random()) * REQUEST_INTERVAL_SECONDS * 1000);
  const times: number[] = [];
  for (let tick = 0; tick < TICKS; tick++) {
    clock.advance(1000);
    for (let request = 0; request < ids.length / REQUEST_INTERVAL_SECONDS; request++)
      engine.tracker.touch(ids[Math.floor(Math.random() * ids.length)]!);
    const timer = new BlockTimer();
    await engine.tracker.tick();
    times.push(timer.elapsedMs());
  }
  return times.slice(WARM_UP_TICKS);
}
