import type { Clock } from '../../activity/clock.js';
import { Recollections } from '../../activity/recollections.js';
import type { Limits } from '../../policy/index.js';
import { keptFor } from './store-max-age.js';
import type { StoredSession } from './stored-session.js';

/** For how long a store need not be told again, in milliseconds. */
const SPARED_FOR_MS = 10_000;
/** By how much a store has to keep a session longer than its idle limit, in milliseconds. */
const SPARE_MS = 60_000;
const SWEEP_EVERY_MS = 1000;

/** What makes a cookie another one, but for its age. */
const ATTRIBUTES = ['path', 'domain', 'secure', 'httpOnly', 'sameSite', 'priority', 'partitioned'] as const;

type SessionCookie = StoredSession['cookie'] & { readonly [Name in (typeof ATTRIBUTES)[number]]?: unknown };

/** What the store was told last of a session, and when. */
interface Told {
  readonly at: number;
  /** A copy: the application may change the session's own. */
  readonly cookie: SessionCookie;
}

/**
 * Spares stores the touches that say nothing new. Session libraries touch a session at the end of every request, so that
 * the store keeps it for as long again, and hold the last byte of the response back until the store has answered. Where a
 * store keeps a watched session for longer than its idle limit anyway, it is enough to say so now and then: it never
 * forgets a session before its end.
 */
export class SparedTouches {
  readonly #told = new Recollections<Told>(SPARED_FOR_MS);
  #sweptAt = -Infinity;

  constructor(
    /** Of a session that is watched. */
    private readonly limitsOf: (sessionId: string) => Limits | undefined,
    private readonly clock: Clock,
  ) {}

  /** Does the store know already what this touch would say? */
  isSpared(sessionId: string, { cookie }: Partial<StoredSession>): boolean {
    const told = this.#told.get(sessionId);
    if (told === undefined || cookie === undefined) return false;
    return told.at + SPARED_FOR_MS > this.clock.now() && isSame(told.cookie, cookie);
  }

  /** The store is being told. */
  note(store: object, sessionId: string, { cookie }: Partial<StoredSession>): void {
    const now = this.clock.now();
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) {
      this.#sweptAt = now;
      this.#told.sweep(now);
    }
    const limits = this.limitsOf(sessionId);
    const keptMs = cookie ? keptFor(store, cookie.originalMaxAge ?? null) : 0;
    if (cookie && limits && keptMs >= limits.expireAfter * 1000 + SPARE_MS)
      this.#told.set(sessionId, { at: now, cookie: { ...cookie } });
    else this.forget(sessionId);
  }

  /** What the store holds is not what it was told. */
  forget(sessionId: string): void {
    this.#told.delete(sessionId);
  }
}

function isSame(one: SessionCookie, other: SessionCookie): boolean {
  return isSameAge(one, other) && ATTRIBUTES.every((name) => one[name] === other[name]);
}

/** express-session counts an age anew from two readings of the clock, so it may be off by a little. */
function isSameAge(
  { originalMaxAge: one }: SessionCookie,
  { originalMaxAge: other }: SessionCookie,
): boolean {
  return Math.abs((one ?? NaN) - (other ?? NaN)) < 1000 || (one ?? null) === (other ?? null);
}
