import type { EndReason } from './activity-record.js';
import type { Clock } from './clock.js';
import { Recollections } from './recollections.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** How long the end of a session is remembered, in milliseconds: what is in flight then has long been answered. */
const LIFETIME_MS = 60 * 60 * 1000;

/** What is remembered of a session that has ended. */
export interface Tombstone {
  /** `null`: ended, but why is not known. */
  readonly reason: EndReason | null;
  readonly at: number;
  /** Which life of the session id, and whose, if that is known. */
  readonly life?: number;
  readonly userId?: string;
  /** The session's cookie has been presented since. */
  presented?: boolean;
  /** Its end has been told; two that find it at the same time may both take it for theirs while the store is slow. */
  told?: boolean;
  /** The id was given up for another, but the session may live on. */
  readonly rotation?: Rotation;
}

/** The end of a session whose id stays in use for an anonymous visitor. */
export interface Leaving {
  /** Each has a higher one than those before it. */
  readonly number: number;
  readonly at: number;
  readonly reason: EndReason;
  /** Which life of the session id, and whose. */
  readonly life?: number | undefined;
  readonly userId?: string | undefined;
  /** When it has been worked off. */
  readonly done: Promise<void>;
}

/** A session whose id was given up within a request. */
export interface Rotation {
  /** The session as it was then. */
  readonly session: WatchedSession;
  /** The ids under which it goes on; several, if parallel requests gave the same id up. */
  readonly successors: string[];
}

/**
 * Session ids that must not come back, for an hour. A tombstone stands before anything of the session is removed, so
 * whatever writes the session later finds it, in whichever order things happen.
 */
export class Tombstones {
  readonly #graves = new Recollections<Tombstone>(LIFETIME_MS);
  /** The last one of each session id. */
  readonly #leavings = new Recollections<Leaving>(LIFETIME_MS);
  #leavingCount = 0;

  constructor(
    private readonly watched: WatchedSessions,
    private readonly clock: Clock,
  ) {}

  /** Who was buried first says why, except where only the session's id had been given up. */
  bury(
    sessionId: string,
    reason: EndReason | null,
    { at = this.clock.now(), rotation }: { at?: number; rotation?: Rotation } = {},
  ): void {
    const buried = this.#graves.get(sessionId);
    if (buried && !(buried.rotation && buried.reason === null)) return;
    const goesOn = buried?.rotation ?? rotation;
    const { life, userId } = this.watched.get(sessionId) ?? goesOn?.session ?? {};
    this.#graves.set(sessionId, {
      reason,
      at,
      ...(life === undefined ? {} : { life }),
      ...(userId === undefined ? {} : { userId }),
      ...(goesOn === undefined ? {} : { rotation: goesOn }),
    });
  }

  has(sessionId: string): boolean {
    return this.#graves.has(sessionId);
  }

  find(sessionId: string): Tombstone | undefined {
    return this.#graves.get(sessionId);
  }

  /** Answers true once for each grave; always where there is none. */
  tellOnce(sessionId: string): boolean {
    const tombstone = this.#graves.get(sessionId);
    if (tombstone?.told) return false;
    if (tombstone) tombstone.told = true;
    return true;
  }

  /** A session ends, and its id is not buried. */
  leave(sessionId: string, reason: EndReason, done: Promise<unknown>): void {
    const { life, userId } = this.watched.get(sessionId) ?? {};
    const leaving = { reason, life, userId, done: done.then(ignore, ignore) };
    this.#leavings.set(sessionId, { number: ++this.#leavingCount, at: this.clock.now(), ...leaving });
  }

  /** How many sessions have ended and left their ids in use. */
  get leavingCount(): number {
    return this.#leavingCount;
  }

  leavingOf(sessionId: string): Leaving | undefined {
    return this.#leavings.get(sessionId);
  }

  sweep(now: number): void {
    this.#graves.sweep(now);
    this.#leavings.sweep(now);
  }
}

function ignore(): void {
  // Only that it is over matters.
}
