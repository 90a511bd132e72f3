const PAGE_BITS = 12;
const PAGE_LENGTH = 1 << PAGE_BITS;

/** No slot; also the end of a list. */
export const NONE = -1;

/**
 * Many doubly linked lists of slots, each slot in one of them at most: 8 bytes a slot and 4 a list. All operations are
 * O(1), and growing copies nothing.
 */
export class SlotLists {
  readonly #heads = new Integers();
  readonly #next = new Integers();
  /** The slot before; for the first of a list the list itself, coded by {@link coded}; `NONE` if in no list. */
  readonly #previous = new Integers();

  /** Makes room for lists below `lists` and slots below `slots`. */
  reserve(lists: number, slots: number): void {
    this.#heads.reserve(lists);
    this.#next.reserve(slots);
    this.#previous.reserve(slots);
  }

  /** The first slot of a list. */
  first(list: number): number {
    return this.#heads.get(list);
  }

  /** The slot that follows in the same list. */
  after(slot: number): number {
    return this.#next.get(slot);
  }

  /** Puts a slot that is in no list at the front of one. */
  insert(list: number, slot: number): void {
    const head = this.#heads.get(list);
    this.#next.set(slot, head);
    this.#previous.set(slot, coded(list));
    if (head !== NONE) this.#previous.set(head, slot);
    this.#heads.set(list, slot);
  }

  /** Takes a slot out of its list; harmless if it is in none. */
  remove(slot: number): void {
    const previous = this.#previous.get(slot);
    if (previous === NONE) return;
    const next = this.#next.get(slot);
    if (previous < NONE) this.#heads.set(coded(previous), next);
    else this.#next.set(previous, next);
    if (next !== NONE) this.#previous.set(next, previous);
    this.#previous.set(slot, NONE);
  }
}

/** A list as a number below `NONE`, where slots are above it; its own inverse. */
function coded(list: number): number {
  return NONE - 1 - list;
}

/** Integers by index, `NONE` at first, in pages, so that room for more is made without copying. */
class Integers {
  readonly #pages: Int32Array[] = [];

  reserve(length: number): void {
    while (this.#pages.length * PAGE_LENGTH < length)
      this.#pages.push(new Int32Array(PAGE_LENGTH).fill(NONE));
  }

  get(index: number): number {
    return this.#pages[index >> PAGE_BITS]![index & (PAGE_LENGTH - 1)]!;
  }

  set(index: number, value: number): void {
    this.#pages[index >> PAGE_BITS]![index & (PAGE_LENGTH - 1)] = value;
  }
}
