import { Logger } from '@nestjs/common';
import type { Clock } from './clock.js';
import { diagnostics } from './diagnostics.js';
import { StoreFailure } from './store-calls.js';

/** Since when a shared store has failed, in epoch milliseconds on the engine's clock, and how. */
export interface Outage {
  readonly since: number;
  readonly message: string;
}

/**
 * Whether the store answers. One line is logged each time that it goes away and each time that it is back, however much
 * fails meanwhile.
 */
export class StoreHealth {
  readonly #logger = new Logger('SessionSecurity');
  #isFailing = false;
  #outage: Outage | undefined;

  constructor(
    private readonly clock: Clock,
    /** How long sessions that memory knows to be alive are served while a shared store fails. */
    private readonly graceMs: number,
  ) {}

  /** The last thing that was to be written or removed could not be. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** The failure of a shared store, where memory is only its shadow; `undefined` while it answers. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  /**
   * Makes sure that memory may still be believed: a shared store that has failed for longer than the grace period may
   * hold ends of which nothing has been heard here.
   *
   * @throws {StoreFailure} if not.
   */
  requireTrust(): void {
    if (this.#outage === undefined) return;
    if (this.clock.now() - this.#outage.since >= this.graceMs) throw new StoreFailure(this.#outage.message);
  }

  /** Something could not be written or removed. */
  failed(operation: string, error: unknown): void {
    diagnostics.storeFailure.publish({ operation, message: messageOf(error) });
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#logger.error(
      `The session store fails (${messageOf(error)}): nobody is signed in or ended on a guess, and what is to be ` +
        'written or removed waits until it is back.',
    );
  }

  /** Everything that had to be written or removed has been. */
  succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#logger.log('The session store answers again.');
  }

  /** The shared store fails: from now on nothing is heard of other processes. */
  lost(error: unknown): void {
    diagnostics.storeFailure.publish({ operation: 'shared', message: messageOf(error) });
    if (this.#outage) return;
    this.#outage = { since: this.clock.now(), message: messageOf(error) };
    this.#logger.error(
      `The activity store fails (${messageOf(error)}): nobody is ended on a guess, sessions known to be alive are ` +
        `served for ${this.graceMs / 1000} s, all others are refused until it is back.`,
    );
  }

  /** All that has happened on other processes has been heard. */
  regained(): void {
    if (!this.#outage) return;
    const seconds = ((this.clock.now() - this.#outage.since) / 1000).toFixed(1);
    this.#outage = undefined;
    this.#logger.log(`The activity store answers again, after ${seconds} s.`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
