/**
 * A hashed timing wheel (Varghese and Lauck, doi 10.1109/90.650142) over small integers, the slots of the watched
 * sessions. 4096 buckets of one second; each bucket is a doubly linked list through two typed arrays, so filing and
 * unfiling are O(1) and cost 12 bytes a session, whatever the number of sessions.
 *
 * The wheel is lazy. Activity moves nothing in it: an entry's place is a lower bound of its deadline, and whoever takes
 * a due slot computes the deadline again and files it anew if it has moved. So a session costs one move per warning
 * period, not one per request. Deadlines beyond the wheel's range pass through once per turn (68 minutes) and are filed
 * again, so no hierarchy is needed and no deadline is ever handed to a timer (timers above 2^31-1 ms fire at once).
 *
 * A deadline at instant t sits in the bucket of the first whole second >= t: it is handed out at most one second late,
 * never early.
 */
export class DeadlineWheel {
  static readonly #BUCKETS = 4096;

  readonly #heads = new Int32Array(DeadlineWheel.#BUCKETS).fill(-1);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** Bucket of a slot; -1 = not filed. */
  #bucketOf = new Int16Array(0);
  /** The next second to be worked off. */
  #cursor: number;

  constructor(now: number) {
    this.#cursor = Math.floor(now / 1000);
  }

  /** Makes room for slots below `capacity`. */
  resize(capacity: number): void {
    this.#next = extended(this.#next, new Int32Array(capacity));
    this.#previous = extended(this.#previous, new Int32Array(capacity));
    this.#bucketOf = extended(this.#bucketOf, new Int16Array(capacity).fill(-1));
  }

  /** Files a slot for an instant in epoch milliseconds (`Infinity` passes through again and again), once. */
  file(slot: number, at: number): void {
    this.unfile(slot);
    const latest = this.#cursor + DeadlineWheel.#BUCKETS - 1;
    const second = Math.max(this.#cursor, Math.min(latest, Math.ceil(at / 1000)));
    const bucket = second % DeadlineWheel.#BUCKETS;
    const head = this.#heads[bucket]!;
    this.#next[slot] = head;
    this.#previous[slot] = -1;
    if (head !== -1) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
    this.#bucketOf[slot] = bucket;
  }

  /** Takes a slot out; harmless if it is not filed. */
  unfile(slot: number): void {
    const bucket = this.#bucketOf[slot]!;
    if (bucket === -1) return;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === -1) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    if (next !== -1) this.#previous[next] = previous;
    this.#bucketOf[slot] = -1;
  }

  /** Takes one slot whose second has come by `now`, or -1. */
  take(now: number): number {
    const current = Math.floor(now / 1000);
    // After a gap of more than a whole turn every bucket is due once; the seconds before that need no visit.
    this.#cursor = Math.max(this.#cursor, current - DeadlineWheel.#BUCKETS + 1);
    while (this.#cursor <= current) {
      const slot = this.#heads[this.#cursor % DeadlineWheel.#BUCKETS]!;
      if (slot !== -1) {
        this.unfile(slot);
        return slot;
      }
      if (this.#cursor === current) break;
      this.#cursor++;
    }
    return -1;
  }
}

function extended<Numbers extends Int32Array | Int16Array>(from: Numbers, into: Numbers): Numbers {
  into.set(from);
  return into;
}
