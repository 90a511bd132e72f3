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
  /** Parts of the shared store that fail while it answers. */
  readonly #partialOutages = new Map<number, Outage>();

  constructor(
    private readonly clock: Clock,
    /** How long sessions that memory knows to be alive are served while a shared store fails. */
    private readonly graceMs: number,
    /** The part of a shared store in which a session lies. */
    private readonly partOf: (sessionId: string) => number,
  ) {}

  /** The last thing that was to be written or removed could not be. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** The failure of a shared store, where memory is only its shadow; `undefined` while it answers. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** The failures of parts of a shared store that answers. */
  get partialOutages(): readonly Outage[] {
    return [...this.#partialOutages.values()];
  }

  /** The failure of a shared store as far as it concerns a session. */
  outageOf(sessionId: string): Outage | undefined {
    if (this.#outage || this.#partialOutages.size === 0) return this.#outage;
    return this.#partialOutages.get(this.partOf(sessionId));
  }

  /**
   * Makes sure that memory of a session may still be believed: a shared store that has failed for longer than the grace
   * period may hold an end of which nothing has been heard here.
   *
   * @throws {StoreFailure} if not.
   */
  requireTrust(sessionId: string): void {
    const outage = this.outageOf(sessionId);
    if (outage === undefined) return;
    if (this.clock.now() - outage.since >= this.graceMs) throw new StoreFailure(outage.message);
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

  /**
   * All that has happened on other processes has been heard.
   *
   * @param failures but for these parts of the store
   */
  regained(failures: ReadonlyMap<number, string>): void {
    for (const [part, message] of failures) this.#losePart(part, message);
    for (const [part, { since }] of this.#partialOutages) {
      if (failures.has(part)) continue;
      this.#partialOutages.delete(part);
      this.#logger.log(
        `Part ${part} of the activity store works again, after ${this.#secondsSince(since)} s.`,
      );
    }
    if (!this.#outage) return;
    this.#logger.log(`The activity store answers again, after ${this.#secondsSince(this.#outage.since)} s.`);
    this.#outage = undefined;
  }

  #losePart(part: number, message: string): void {
    diagnostics.storeFailure.publish({ operation: 'shared', message });
    if (this.#partialOutages.has(part)) return;
    this.#partialOutages.set(part, { since: this.clock.now(), message });
    this.#logger.error(
      `Part ${part} of the activity store fails: ${message}. Nobody is ended on a guess; of the sessions in that part, ` +
        `those known to be alive are served for ${this.graceMs / 1000} s, all others are refused until it works again.`,
    );
  }

  #secondsSince(since: number): string {
    return ((this.clock.now() - since) / 1000).toFixed(1);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
