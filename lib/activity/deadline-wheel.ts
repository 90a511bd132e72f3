import { QUARTER_MS } from './clock.js';
import { NONE, SlotLists } from './slot-lists.js';

/**
 * A hashed timing wheel (Varghese and Lauck, doi 10.1109/90.650142) over small integers, the slots of the watched
 * sessions. 16384 buckets of a quarter of a second; each bucket is a doubly linked list, so filing and unfiling are O(1) and cost 8
 * bytes a session, whatever the number of sessions.
 *
 * The wheel is lazy. Activity moves nothing in it: an entry's place is a lower bound of its deadline, and whoever takes
 * a due slot computes the deadline again and files it anew if it has moved. So a session costs one move per warning
 * period, not one per request. Deadlines beyond the wheel's range pass through once per turn (68 minutes) and are filed
 * again, so no hierarchy is needed and no deadline is ever handed to a timer (timers above 2^31-1 ms fire at once).
 *
 * A deadline at instant t sits in the bucket of the first whole quarter >= t: whoever looks at the turn of each quarter
 * hands it out less than a quarter of a second late, never early.
 */
export class DeadlineWheel {
  static readonly #BUCKETS = 16_384;

  readonly #buckets = new SlotLists();
  /** The next quarter to be worked off. */
  #cursor: number;

  constructor(now: number) {
    this.#cursor = Math.floor(now / QUARTER_MS);
    this.resize(0);
  }

  /** Makes room for slots below `capacity`. */
  resize(capacity: number): void {
    this.#buckets.reserve(DeadlineWheel.#BUCKETS, capacity);
  }

  /** Files a slot for an instant in epoch milliseconds (`Infinity` passes through again and again), once. */
  file(slot: number, at: number): void {
    this.unfile(slot);
    const latest = this.#cursor + DeadlineWheel.#BUCKETS - 1;
    const quarter = Math.max(this.#cursor, Math.min(latest, Math.ceil(at / QUARTER_MS)));
    this.#buckets.insert(quarter % DeadlineWheel.#BUCKETS, slot);
  }

  /** Takes a slot out; harmless if it is not filed. */
  unfile(slot: number): void {
    this.#buckets.remove(slot);
  }

  /** Takes one slot whose quarter has come by `now`, or `NONE`. */
  take(now: number): number {
    const current = Math.floor(now / QUARTER_MS);
    // After a gap of more than a whole turn every bucket is due once; the quarters before that need no visit.
    this.#cursor = Math.max(this.#cursor, current - DeadlineWheel.#BUCKETS + 1);
    while (this.#cursor <= current) {
      const slot = this.#buckets.first(this.#cursor % DeadlineWheel.#BUCKETS);
      if (slot !== NONE) {
        this.unfile(slot);
        return slot;
      }
      if (this.#cursor === current) break;
      this.#cursor++;
    }
    return NONE;
  }
}
