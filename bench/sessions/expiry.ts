/** Very many sessions that expire within one second: how long the event loop stands still, and when all is told. */
import session from 'express-session';
import { setTimeout as pause } from 'node:timers/promises';
import { Engine, LIMITS, sessionIds, SkippingClock, userIds } from './engine.js';
import { PartedMemoryStore } from './parted-memory-store.js';
import { longestStandstill } from './standstill.js';

export interface Expiry {
  readonly longestStandstillMs: number;
  /** The same, measured while nothing was done: what the machine itself contributes. */
  readonly idleStandstillMs: number;
  /** From the last deadline until the last event was delivered. */
  readonly lastEventMs: number;
  readonly cpuMicrosecondsEach: number;
}

/** Between the preparation and the expiring second; it is skipped. */
const LEAD_MS = 300_000;
const GIVEN_UP_AFTER_MS = 60_000;

/** @param isParted whether the sessions lie in a store that never stands still itself */
export async function measureExpiry(watched: number, expiring: number, isParted: boolean): Promise<Expiry> {
  const clock = new SkippingClock();
  const store = isParted ? new PartedMemoryStore() : new session.MemoryStore();
  const engine = new Engine(clock, 3_600_000, store);
  for (const id of sessionIds(watched - expiring)) engine.watch(id, Math.random() * 100_000);
  const firstDeadline = await prepare(engine, expiring);
  const lastDeadline = firstDeadline + 1000;
  const idleStandstillMs = await longestStandstill(() => pause(1_500));

  clock.skipTo(firstDeadline - 1000);
  // They have been warned long ago.
  while (engine.watched.due(clock.now(), expiring).more);
  const told = allTold(engine, expiring);
  let lastEventAt = 0;
  const before = process.cpuUsage();
  const longestStandstillMs = await longestStandstill(async () => {
    await engine.tracker.open();
    lastEventAt = await told;
    await engine.tracker.close();
  });
  const { user, system } = process.cpuUsage(before);
  return {
    longestStandstillMs,
    idleStandstillMs,
    lastEventMs: lastEventAt - lastDeadline,
    cpuMicrosecondsEach: (user + system) / expiring,
  };
}

/** Sessions in memory and store whose deadlines lie in one second to come; answers the first of them. */
async function prepare(engine: Engine, count: number): Promise<number> {
  const firstDeadline = Math.ceil((engine.clock.now() + LEAD_MS) / 1000) * 1000;
  const ids = sessionIds(count);
  const users = userIds(count);
  for (let index = 0; index < count; index++) {
    const deadline = firstDeadline + (index / count) * 1000;
    engine.watch(ids[index]!, engine.clock.now() + LIMITS.expireAfter * 1000 - deadline, users[index]);
    await engine.keep(ids[index]!, users[index]!);
  }
  return firstDeadline;
}

/** Resolves to the instant of the last `expire` event. */
function allTold(engine: Engine, count: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let told = 0;
    engine.events.expire$.subscribe(() => {
      if (++told === count) resolve(engine.clock.now());
    });
    setTimeout(() => reject(new Error(`Only ${told} of ${count} events came.`)), GIVEN_UP_AFTER_MS).unref();
  });
}
