import { randomBytes } from 'node:crypto';
import session, { type Store } from 'express-session';
import type { ActivityRecord } from '../../lib/activity/activity-record.js';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import { Clock, SystemClock } from '../../lib/activity/clock.js';
import { SessionReferences } from '../../lib/activity/session-reference.js';
import { StoreCalls } from '../../lib/activity/store-calls.js';
import {
  ExpressSessionActivityStore,
  type SessionStore,
} from '../../lib/activity/stores/express-session-activity-store.js';
import { WatchedSessions } from '../../lib/activity/watched-sessions.js';
import { SessionSecurityEvents } from '../../lib/events/session-security-events.js';
import { ExpressSessionBlobs } from '../../lib/http/gate/session-gate.js';

const STORE_TIMEOUT_MS = 5000;
export const LIMITS = { warnAfter: 540, expireAfter: 600, maxLifetime: null };

/** Time that passes when it is told to; its ticks are called by hand. */
export class ManualClock extends Clock {
  #now = Date.now();

  now(): number {
    return this.#now;
  }

  every(): () => void {
    return () => undefined;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** The machine's time, which can be made to skip a while. */
export class SkippingClock extends SystemClock {
  #skippedMs = 0;

  override now(): number {
    return super.now() + this.#skippedMs;
  }

  skipTo(instant: number): void {
    this.#skippedMs += instant - this.now();
  }
}

/** The engine as the module puts it together, over a session store. */
export class Engine<Time extends Clock = Clock> {
  readonly references = new SessionReferences();
  readonly watched: WatchedSessions;
  readonly store: ExpressSessionActivityStore;
  readonly tracker: ActivityTracker;
  readonly events: SessionSecurityEvents;
  #life = 0;
  readonly sessionStore: SessionStore;

  constructor(
    readonly clock: Time,
    flushIntervalMs: number,
    sessionStore: Store = new session.MemoryStore(),
  ) {
    this.sessionStore = sessionStore;
    this.watched = new WatchedSessions(clock.now());
    const calls = new StoreCalls(clock, STORE_TIMEOUT_MS);
    this.store = new ExpressSessionActivityStore(
      this.watched,
      this.references,
      clock,
      calls,
      flushIntervalMs,
    );
    const blobs = new ExpressSessionBlobs(calls);
    this.tracker = new ActivityTracker(
      this.store,
      this.watched,
      blobs,
      this.references,
      clock,
      flushIntervalMs,
    );
    this.events = new SessionSecurityEvents(this.tracker, this.references, this.store);
    blobs.attach(this.sessionStore);
    this.store.attach(this.sessionStore);
  }

  /** Watches a session that was last active so many milliseconds ago, in memory alone. */
  watch(sessionId: string, idleMs: number, userId?: string): void {
    const now = this.clock.now();
    const startedAt = now - idleMs;
    const user = userId === undefined ? {} : { userId };
    const life = ++this.#life;
    this.watched.put(sessionId, { life, startedAt, lastActivityAt: startedAt, limits: LIMITS, ...user }, now);
  }

  /** Puts the blob and the record of a watched session into the session store, where requests would have put them. */
  async keep(sessionId: string, userId: string): Promise<void> {
    const record: ActivityRecord = {
      id: this.references.ofSession(sessionId),
      ...this.watched.get(sessionId)!,
    };
    const blob = {
      cookie: { originalMaxAge: null, path: '/', httpOnly: true },
      user: { id: userId },
      sessionSecurity: { version: 1, life: record.life },
    };
    await new Promise((resolve) => this.sessionStore.set(sessionId, blob, resolve));
    await this.store.start(record);
  }
}

/** Session ids as express-session makes them. */
export function sessionIds(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(24).toString('base64url'));
}

/** Users with a session each, or with two, as it comes. */
export function userIds(count: number): string[] {
  return Array.from({ length: count }, () => `user-${Math.floor(Math.random() * count)}`);
}
