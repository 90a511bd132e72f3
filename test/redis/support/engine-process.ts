/**
 * One process of an application under load, without HTTP: it starts sessions, touches sessions of all processes at
 * random as requests would, and writes down what was accepted and which events its handler was given.
 *
 * Run with the folder for its notes and the address of Redis; it is told what to do over IPC.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { SteadyClock } from '../../../lib/activity/clock.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import { SessionSecurityEvents } from '../../../lib/events/session-security-events.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import type { EngineOrder } from './engine.js';

const AT_ONCE = 32;
/** Touches per second of one process. */
const RATE = 1000;
const FLUSH_INTERVAL_MS = 1000;
const SECRET = 'the secret of all processes of the test';

const [folder, url] = process.argv.slice(2) as [string, string];
const note = (name: string): ((line: string) => void) => {
  const file = openSync(join(folder, `${name}-${process.pid}`), 'a');
  // Written at once: what the kernel has outlives the process.
  return (line) => void writeSync(file, `${line}\n`);
};
const [accepted, handled, destroyed] = [note('accepted'), note('handled'), note('destroyed')];

const client = createClient({ url });
client.on('error', () => undefined);
await client.connect();
const references = new SessionReferences(SECRET);
const store = new RedisActivityStore({ client, takeOverAfter: 2, commandTimeout: 20 });
const clock = store.synchronize(new SteadyClock());
store.connect({ references, secret: SECRET, flushIntervalMs: FLUSH_INTERVAL_MS });
const blobs = {
  destroy: (sessionId: string): Promise<void> => {
    destroyed(sessionId);
    return Promise.resolve();
  },
};
const watched = new WatchedSessions(clock.now());
const tracker = new ActivityTracker(store, watched, blobs, references, clock, FLUSH_INTERVAL_MS, 30_000);
new SessionSecurityEvents(tracker, references, store).durable('recorder', ({ id, kind, userId }) =>
  handled(`${userId} ${kind} ${id}`),
);
tracker.recover();
await tracker.open();

process.on('message', (order: EngineOrder) => {
  void carryOut(order).then((answer) => {
    process.send?.({ done: order.do, answer });
    if (order.do === 'close') process.disconnect();
  });
});
process.send?.({ done: 'boot' });

async function carryOut(order: EngineOrder): Promise<number> {
  switch (order.do) {
    case 'start':
      await atOnce(order.to - order.from, (index) => start(order.from + index, order.limits));
      return order.to - order.from;
    case 'touch':
      return touchUntil(performance.now() + order.forMs, order.sessions);
    case 'close':
      await tracker.close();
      await client.close();
      return 0;
  }
}

async function start(number: number, [warnAfter, expireAfter]: readonly [number, number]): Promise<void> {
  const at = clock.now();
  const sessionId = `session-${number}`;
  const session = { userId: `${number}`, limits: { warnAfter, expireAfter } };
  await tracker.start(sessionId, session);
  accepted(`${number} ${at}`);
}

async function touchUntil(end: number, sessions: number): Promise<number> {
  let touches = 0;
  while (performance.now() < end) {
    const next = performance.now() + (AT_ONCE / RATE) * 1000;
    await atOnce(AT_ONCE, () => touch(Math.floor(Math.random() * sessions)));
    touches += AT_ONCE;
    await pause(Math.max(0, next - performance.now()));
  }
  return touches;
}

/** As a request does: look it up, confirm an end, count the activity, write it if it must be written. */
async function touch(number: number): Promise<void> {
  const sessionId = `session-${number}`;
  const at = clock.now();
  if (!(await tracker.locate(sessionId).catch(() => undefined))) return;
  if (
    tracker.verdict(sessionId)?.phase === 'expired' &&
    (await tracker.settle(sessionId).catch(() => 'unknown'))
  )
    return;
  const { moved, overdue } = tracker.touch(sessionId);
  if (!moved || (overdue && !(await tracker.write(sessionId).catch(() => false)))) return;
  accepted(`${number} ${at}`);
}

async function atOnce(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
}
