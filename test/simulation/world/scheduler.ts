import type { Random } from './random.js';

/** Something that will happen at an instant of the world's time. */
export interface Happening {
  readonly at: number;
  readonly label: string;
  readonly run: () => void;
  /** False if it has become pointless: what died does nothing any more. */
  readonly matters: () => boolean;
}

interface Entry extends Happening {
  /** Decides between happenings of the same instant. */
  readonly rank: number;
  readonly sequence: number;
}

/**
 * Owns time, and with it the order of everything: a queue of happenings, in milliseconds from the beginning of the
 * world. What happens at the same instant happens in an order that the seed draws.
 */
export class Scheduler {
  /** A binary heap. */
  readonly #heap: Entry[] = [];
  #now = 0;
  #sequence = 0;
  #turnRank = 0;
  #turnAt = -1;

  constructor(private readonly random: Random) {}

  get now(): number {
    return this.#now;
  }

  /** Lets something happen in `delay` milliseconds. */
  after(delay: number, label: string, run: () => void, matters = always): void {
    this.#push({ at: this.#now + delay, rank: this.random.next(), label, run, matters });
  }

  /** Lets something happen in the next turn of an event loop: now, but after what asked for it, in the order asked. */
  nextTurn(label: string, run: () => void, matters = always): void {
    const rank = this.random.next();
    this.#turnRank = this.#turnAt === this.#now ? Math.max(this.#turnRank, rank) : rank;
    this.#turnAt = this.#now;
    this.#push({ at: this.#now, rank: this.#turnRank, label, run, matters });
  }

  /** Takes the next happening, and with it time moves on. */
  take(): Happening | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.#now = first.at;
    return first;
  }

  #push(happening: Omit<Entry, 'sequence'>): void {
    this.#heap.push({ ...happening, sequence: this.#sequence++ });
    let index = this.#heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let least = index;
      if (left < this.#heap.length && this.#isBefore(left, least)) least = left;
      if (right < this.#heap.length && this.#isBefore(right, least)) least = right;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left]!, this.#heap[right]!];
    if (a.at !== b.at) return a.at < b.at;
    return a.rank !== b.rank ? a.rank < b.rank : a.sequence < b.sequence;
  }

  #swap(left: number, right: number): void {
    [this.#heap[left], this.#heap[right]] = [this.#heap[right]!, this.#heap[left]!];
  }
}

const always = (): boolean => true;
