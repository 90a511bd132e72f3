/** One of several processes over one Redis: it starts sessions, and works off what is due as the engine does. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { answering } from '../support/children.js';
import { AT_ONCE, forEachOf, slices } from './batches.js';
import { openStore } from './open-store.js';

/** What the parent asks for. Durations in milliseconds. */
export type Question =
  | { readonly do: 'start'; readonly from: number; readonly count: number }
  /** So many of its sessions are due at once. */
  | { readonly do: 'shorten'; readonly count: number }
  /** Looks for so long, whatever is due. */
  | { readonly do: 'look'; readonly forMs: number }
  /** Looks until nothing has been due for a second; answers how many sessions it has ended. */
  | { readonly do: 'drain' };

const LONG = { warnAfter: 30_000, expireAfter: 36_000, maxLifetime: null };
const SHORT = { warnAfter: 0.1, expireAfter: 0.2, maxLifetime: null };

const { references, store, clock } = await openStore(process.argv[2]!);
const kept: { readonly id: string; readonly life: number; readonly userId: string }[] = [];

answering((question: Question) => {
  switch (question.do) {
    case 'start':
      return start(question.from, question.count);
    case 'shorten':
      return shorten(question.count);
    case 'look':
      return lookUntil(performance.now() + question.forMs);
    case 'drain':
      return drain();
  }
});
process.send!('ready');

/** Untold, so that memory is that of the sessions alone. */
async function start(from: number, count: number): Promise<number> {
  await forEachOf(count, async (number) => {
    const [sessionId, now] = [randomBytes(24).toString('base64url'), clock.now()];
    const session = {
      id: references.ofSession(sessionId),
      life: from + number,
      userId: `user-${1_000_000 + from + number}`,
    };
    await store.start({ ...session, startedAt: now, lastActivityAt: now, limits: LONG }, sessionId, true);
    kept.push(session);
  });
  return kept.length;
}

async function shorten(count: number): Promise<number> {
  const now = clock.now();
  for (const batch of slices(kept.slice(0, count), AT_ONCE)) {
    const adjusted = batch.map((session) =>
      store.adjust({ ...session, limits: SHORT, startedAt: now, lastActivityAt: now }),
    );
    await Promise.all(adjusted);
  }
  return count;
}

async function lookUntil(end: number): Promise<number> {
  while (performance.now() < end) {
    // Looks that take nothing: nobody is ended before it is certain that all processes are there.
    await store.due(clock.now(), 0);
    store.takeNews();
    await pause(store.pollIntervalMs);
  }
  return 0;
}

async function drain(): Promise<number> {
  let ended = 0;
  let idleSince = performance.now();
  while (performance.now() - idleSince < 1000) {
    const { due, more } = await store.due(clock.now(), AT_ONCE);
    store.takeNews();
    const now = due.filter(({ kind }) => kind === 'expire').length;
    ended += now;
    if (now > 0 || more) idleSince = performance.now();
    if (!more) await pause(store.pollIntervalMs);
  }
  return ended;
}
