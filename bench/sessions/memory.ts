/** Bytes per watched session beside its id and its user's id, and how long a growing table keeps the process busy. */
import { BlockTimer } from './standstill.js';
import { Engine, ManualClock, sessionIds, userIds } from './engine.js';

export interface Memory {
  readonly sessions: number;
  readonly bytesEach: number;
  /** The longest that adding a single session took. */
  readonly longestAdditionMs: number;
}

export function measureMemory(count: number): Memory {
  const ids = sessionIds(count);
  const users = userIds(count);
  const engine = new Engine(new ManualClock(), Infinity);
  const before = usedBytes();
  let longestAdditionMs = 0;
  for (let index = 0; index < count; index++) {
    const timer = new BlockTimer();
    engine.watch(ids[index]!, Math.random() * 500_000, users[index]);
    longestAdditionMs = Math.max(longestAdditionMs, timer.elapsedMs());
  }
  const bytesEach = (usedBytes() - before) / count;
  // Held until here, so that neither the strings nor the table are collected before they are weighed.
  if (engine.watched.size !== ids.length) throw new Error('Session ids were not unique.');
  return { sessions: count, bytesEach, longestAdditionMs };
}

function usedBytes(): number {
  if (!global.gc) throw new Error('This must run with --expose-gc.');
  for (let turn = 0; turn < 3; turn++) global.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
