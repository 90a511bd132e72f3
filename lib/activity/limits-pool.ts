import type { Limits } from '../policy/index.js';

/**
 * Limits are shared by thousands of sessions: each combination is kept once, and sessions hold its number. It is kept for
 * as long as a session holds it: a function may answer other limits on every request, what is left of a shift say.
 */
export class LimitsPool {
  readonly #numbers = new Map<string, number>();
  readonly #limits: (Limits | undefined)[] = [];
  /** How many sessions hold each number. */
  readonly #holders: number[] = [];
  readonly #free: number[] = [];

  /** The number of these limits, for one session more. */
  take(limits: Limits): number {
    const key = keyOf(limits);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const { warnAfter, expireAfter, maxLifetime = null } = limits;
      number = this.#free.pop() ?? this.#limits.length;
      this.#limits[number] = Object.freeze({ warnAfter, expireAfter, maxLifetime });
      this.#holders[number] = 0;
      this.#numbers.set(key, number);
    }
    this.#holders[number]!++;
    return number;
  }

  /** A session that held this number does so no longer. */
  giveBack(number: number): void {
    if (--this.#holders[number]! > 0) return;
    this.#numbers.delete(keyOf(this.at(number)));
    this.#limits[number] = undefined;
    this.#free.push(number);
  }

  at(number: number): Limits {
    return this.#limits[number]!;
  }

  /** How many combinations are kept. */
  get size(): number {
    return this.#numbers.size;
  }
}

function keyOf({ warnAfter, expireAfter, maxLifetime = null }: Limits): string {
  return `${warnAfter}/${expireAfter}/${maxLifetime}`;
}
