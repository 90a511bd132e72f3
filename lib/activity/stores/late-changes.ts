import type { ActivityRecord } from '../activity-record.js';
import type { Clock } from '../clock.js';
import { Recollections } from '../recollections.js';

/** For how long a change that was given up may still come, in milliseconds; some stores never answer. */
const LIFETIME_MS = 60 * 60 * 1000;

interface LateChange {
  readonly at: number;
  /** How many of them may still come. */
  pending: number;
  wanted: ActivityRecord | undefined;
}

/**
 * Records of which a write or a removal was given up, because the store took too long, and may be carried out long after.
 * By then somebody may have signed in under the same session id, whose record it would overwrite or remove; or the session
 * may have ended, and its record would be back.
 */
export class LateChanges {
  readonly #changes = new Recollections<LateChange>(LIFETIME_MS);
  /** Records that could not be put right: the store failed again. */
  #left = new Set<string>();

  constructor(private readonly clock: Clock) {}

  /** A change has been given up that was to leave this record, or none. */
  giveUp(id: string, wanted: ActivityRecord | undefined): void {
    const now = this.clock.now();
    this.#changes.sweep(now);
    const pending = (this.#changes.get(id)?.pending ?? 0) + 1;
    this.#changes.set(id, { at: now, pending, wanted });
  }

  /** May one still come? */
  has(id: string): boolean {
    return this.#changes.has(id);
  }

  /** The record that is to be there, although a late change may have removed it. */
  wanted(id: string): ActivityRecord | undefined {
    return this.#changes.get(id)?.wanted;
  }

  /** From now on this record is to be there, or none. */
  want(id: string, record: ActivityRecord | undefined): void {
    const late = this.#changes.get(id);
    if (late) late.wanted = record;
  }

  /** One has come, and what it did to the record has been put right. */
  settle(id: string): void {
    const late = this.#changes.get(id);
    if (late && --late.pending === 0) this.#changes.delete(id);
  }

  /** One has come, and what it did could not be put right yet. */
  leave(id: string): void {
    this.#left.add(id);
  }

  /** What is to be put right once more. */
  takeLeft(): Iterable<string> {
    const left = this.#left;
    if (left.size > 0) this.#left = new Set();
    return left;
  }
}
