/** In how many maps they lie. */
const PARTS = 64;

/**
 * What is remembered of session ids for a time, from an instant on; the latest last. In many maps, because a map that has
 * to grow is copied whole, for which everybody waits: 20 ms with 130,000 entries.
 */
export class Recollections<Recollection extends { readonly at: number }> {
  readonly #parts = Array.from({ length: PARTS }, () => new Map<string, Recollection>());

  /** @param lifetimeMs for how long each is remembered */
  constructor(private readonly lifetimeMs: number) {}

  has(sessionId: string): boolean {
    return this.#partOf(sessionId).has(sessionId);
  }

  get(sessionId: string): Recollection | undefined {
    return this.#partOf(sessionId).get(sessionId);
  }

  set(sessionId: string, recollection: Recollection): void {
    const part = this.#partOf(sessionId);
    part.delete(sessionId);
    part.set(sessionId, recollection);
  }

  delete(sessionId: string): void {
    this.#partOf(sessionId).delete(sessionId);
  }

  /** Drops what is too old. */
  sweep(now: number): void {
    for (const part of this.#parts) {
      for (const [sessionId, { at }] of part) {
        if (at + this.lifetimeMs > now) break;
        part.delete(sessionId);
      }
    }
  }

  /** By the last two characters, which differ at random in every session id. */
  #partOf(sessionId: string): Map<string, Recollection> {
    const last = sessionId.length - 1;
    const mixed = sessionId.charCodeAt(last - 1) * 31 + sessionId.charCodeAt(last);
    // Nothing keeps an application from making ids of one character.
    return this.#parts[Number.isNaN(mixed) ? 0 : mixed % PARTS]!;
  }
}
