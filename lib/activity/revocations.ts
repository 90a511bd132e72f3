import type { ActivityRecord, KeptRevocation } from './activity-record.js';
import { Recollections } from './recollections.js';

/** Longer than the default store keeps the record of anybody who does not come. */
const LIFETIME_MS = 100 * 24 * 3600 * 1000;

/** As this process carries it out. */
export interface Revocation extends KeptRevocation {
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

  has(userId: string): boolean {
    return this.#revocations.has(userId);
  }

  /** What has ended this session that the store has known till now, if anything did. */
  of(record: ActivityRecord, now: number): Revocation | undefined {
    const revocation = record.userId === undefined ? undefined : this.#revocations.get(record.userId);
    return revocation && isEndedBy(revocation, record, now) ? revocation : undefined;
  }

  sweep(now: number): void {
    this.#revocations.sweep(now);
  }
}

/** Is a session that the store has known till now over by this? */
export function isEndedBy(
  { at, sparedLife }: KeptRevocation,
  { startedAt, life }: ActivityRecord,
  now: number,
): boolean {
  if (life === sparedLife) return false;
  // What began in the future began when the clock was ahead, of this process before this one: and so before, unless the
  // other instant is of that clock too.
  return startedAt < at || (startedAt > now && at <= now);
}
