import type { ActivityRecord, EndReason } from './activity-record.js';
import { Recollections } from './recollections.js';

/** Longer than the default store keeps the record of anybody who does not come. */
const LIFETIME_MS = 100 * 24 * 3600 * 1000;

/** All sessions of a user that had begun before an instant have been ended. */
export interface Revocation {
  readonly at: number;
  readonly reason: EndReason;
  /** The life that goes on all the same. */
  readonly sparedLife?: number | undefined;
  /** How many sessions have been found and ended since. */
  carriedOut: number;
}

/** Which sessions are over although this process does not know them yet: they may lie in a store that lists nothing. */
export class Revocations {
  readonly #revocations = new Recollections<Revocation>(LIFETIME_MS);

  /** By user id; the last one of each user. */
  add(userId: string, revocation: Revocation): void {
    this.#revocations.set(userId, revocation);
  }

  /** What has ended this session that the store has known till now, if anything did. */
  of({ userId, startedAt, life }: ActivityRecord, now: number): Revocation | undefined {
    const revocation = userId === undefined ? undefined : this.#revocations.get(userId);
    if (!revocation || life === revocation.sparedLife) return undefined;
    // What began in the future did not begin in this process, and so before it, when the clock was ahead.
    return startedAt < revocation.at || startedAt > now ? revocation : undefined;
  }

  sweep(now: number): void {
    this.#revocations.sweep(now);
  }
}
