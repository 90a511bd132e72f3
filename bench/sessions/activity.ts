/** What touches and ticks cost with very many watched sessions. */
import { SystemClock } from '../../lib/activity/clock.js';
import { quantile } from '../support/report.js';
import { Engine, LIMITS, ManualClock, sessionIds, userIds } from './engine.js';

export interface Activity {
  readonly touchMicroseconds: number;
  readonly tickMedianMs: number;
  readonly tickWorstMs: number;
}

const TOUCHES = 2_000_000;
const TICKS = 120;
/** Between two requests of a session on the average; so many sessions make 1/60 as many requests a second. */
const REQUEST_INTERVAL_SECONDS = 60;

export async function measureActivity(count: number): Promise<Activity> {
  const ids = sessionIds(count);
  const touchMicroseconds = touchCost(ids);
  const ticks = await tickTimes(ids);
  return {
    touchMicroseconds,
    tickMedianMs: quantile(ticks, 0.5),
    tickWorstMs: Math.max(...ticks),
  };
}

/** The call that the guard makes, on sessions in random order. */
function touchCost(ids: readonly string[]): number {
  const engine = new Engine(new SystemClock(), Infinity);
  for (const id of ids) engine.watch(id, Math.random() * 500_000);
  // Each request brings its session id as a string of its own.
  const order = Array.from({ length: TOUCHES }, () =>
    Buffer.from(ids[Math.floor(Math.random() * ids.length)]!).toString('latin1'),
  );
  for (const id of order.slice(0, TOUCHES / 10)) engine.tracker.touch(id);
  const before = process.cpuUsage();
  for (const id of order) engine.tracker.touch(id);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TOUCHES;
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
    const startedAt = performance.now();
    await engine.tracker.tick();
    times.push(performance.now() - startedAt);
  }
  return times;
}
