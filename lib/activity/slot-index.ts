import { randomInt } from 'node:crypto';
import { NONE, SlotLists } from './slot-lists.js';

/**
 * From a text to the slots of the rows that hold it, 12 bytes a slot, where a `Map` takes 30 to 60. The texts stay in the
 * rows. A hash table with chains that grows one chain at a time (linear hashing, Litwin 1980): with every slot that is
 * added, one chain at most is divided, so nobody ever waits while a large table is rebuilt.
 */
export class SlotIndex {
  readonly #chains = new SlotLists();
  /** Nobody who chooses texts can know which of them share a chain. */
  readonly #seed = randomInt(2 ** 32);
  #chainCount = 1;
  /** The lowest power of two that is not below the number of chains, less one. */
  #mask = 0;
  #size = 0;

  constructor(private readonly textOf: (slot: number) => string | undefined) {
    this.#chains.reserve(1, 0);
  }

  /** How many slots there are. */
  get size(): number {
    return this.#size;
  }

  /** Makes room for slots below `slots`. */
  reserve(slots: number): void {
    this.#chains.reserve(this.#chainCount, slots);
  }

  /** Adds a slot whose row holds the text already. */
  add(text: string, slot: number): void {
    this.#chains.insert(this.#chainOf(text), slot);
    if (++this.#size > this.#chainCount) this.#divide();
  }

  /** Takes out a slot that was added. */
  remove(slot: number): void {
    this.#chains.remove(slot);
    this.#size--;
  }

  /** A slot whose row holds the text, or `NONE`. */
  find(text: string): number {
    let slot = this.#chains.first(this.#chainOf(text));
    while (slot !== NONE && this.textOf(slot) !== text) slot = this.#chains.after(slot);
    return slot;
  }

  /** All slots whose rows hold the text, the last added first. */
  findAll(text: string): number[] {
    return this.#slotsIn(this.#chainOf(text)).filter((slot) => this.textOf(slot) === text);
  }

  #chainOf(text: string): number {
    const chain = hashOf(text, this.#seed) & this.#mask;
    return chain < this.#chainCount ? chain : chain & (this.#mask >> 1);
  }

  /** Begins one chain more, with those slots that were in the chain of the shorter mask for want of it. */
  #divide(): void {
    const begun = this.#chainCount++;
    if (begun > this.#mask) this.#mask = this.#mask * 2 + 1;
    const divided = begun & (this.#mask >> 1);
    this.#chains.reserve(this.#chainCount, 0);
    // From the last to the first, because each is put at the front: those of one text keep their order.
    for (const slot of this.#slotsIn(divided).reverse()) {
      if (this.#chainOf(this.textOf(slot)!) !== begun) continue;
      this.#chains.remove(slot);
      this.#chains.insert(begun, slot);
    }
  }

  #slotsIn(chain: number): number[] {
    const slots: number[] = [];
    for (let slot = this.#chains.first(chain); slot !== NONE; slot = this.#chains.after(slot))
      slots.push(slot);
    return slots;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // The upper bits are mixed in: chains are told apart by the lower ones.
  return hash ^ (hash >>> 15);
}
