import type { Clock } from './clock.js';

/** How a session store answers: an error, or a value. */
export type Answer = (error?: unknown, value?: unknown) => void;

/** The one outcome of a call. */
export type Outcome = (failure: StoreFailure | undefined, value?: unknown) => void;

/** A method of a session store, applied to its arguments but for the callback. */
export type StoreOperation = (answer: Answer) => unknown;

/** How often calls under way are looked through, in milliseconds. */
const SWEEP_MS = 1000;

/** A call to the session store that has not been answered yet. */
interface PendingCall {
  readonly settle: Outcome;
  /** Its place in the list of them all; `ANSWERED` when it is not there any more. */
  place: number;
  /** The sweep that gives it up. */
  readonly lastSweep: number;
}

/** The session store could not be asked: it threw, answered with an error or not at all. Nothing is known then. */
export class StoreFailure extends Error {
  readonly code = 'SESSION_SECURITY_STORE_FAILURE';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreFailure';
  }
}

/**
 * Calls the session store so that each call has exactly one outcome, whatever the store does: throws, rejects, answers
 * twice, late or never. All calls under way share one timer, so a call costs an entry in a list and no timer of its own;
 * one that is not answered is given up within a second after its time limit.
 *
 * The list is an array and no `Set`: a `Set` in which entries come and go leaves tables behind that keep the entries,
 * and requests with them, from being collected until the next full collection.
 */
export class StoreCalls {
  readonly #pending: PendingCall[] = [];
  #sweeps = 0;
  #stopSweeping: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limitMs: number,
  ) {}

  /**
   * Runs the operation; `settle` is called once, with a {@link StoreFailure} or with what the store answered.
   *
   * @param sessionId what the call is about, if that is a secret: failures are logged, and stores name it in their own
   */
  call(operation: StoreOperation, settle: Outcome, sessionId?: string, limitMs = this.limitMs): void {
    const lastSweep = this.#sweeps + Math.ceil(limitMs / SWEEP_MS) + 1;
    const pending: PendingCall = { settle, lastSweep, place: this.#pending.length };
    this.#pending.push(pending);
    this.#stopSweeping ??= this.clock.every(SWEEP_MS, () => this.#sweep());
    const answer: Answer = (error, value) => {
      if (!this.#take(pending)) return;
      if (!error) return settle(undefined, value);
      // File stores say so when there is no such session; express-session understands it so too.
      if ((error as { code?: unknown }).code === 'ENOENT') return settle(undefined);
      settle(failureOf(error, sessionId));
    };
    try {
      const result = operation(answer) as Partial<PromiseLike<unknown>> | undefined;
      // Stores with asynchronous methods also reject, after the callback or instead of it, and nobody else would see.
      if (typeof result?.then === 'function') result.then(undefined, (error) => answer(error ?? UNEXPLAINED));
    } catch (error) {
      // What the caller's own code throws is not the store's.
      if (pending.place === ANSWERED) throw error;
      answer(error ?? UNEXPLAINED);
    }
  }

  /** As {@link call}, for those who can wait. */
  ask(operation: StoreOperation, sessionId?: string, limitMs = this.limitMs): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle: Outcome = (failure, value) => (failure ? reject(failure) : resolve(value));
      this.call(operation, settle, sessionId, limitMs);
    });
  }

  /** Takes a call from the list, whose last one takes its place; answers whether it was there. */
  #take(pending: PendingCall): boolean {
    const { place } = pending;
    if (place === ANSWERED) return false;
    pending.place = ANSWERED;
    const last = this.#pending.pop()!;
    if (last === pending) return true;
    last.place = place;
    this.#pending[place] = last;
    return true;
  }

  #sweep(): void {
    this.#sweeps++;
    for (const pending of [...this.#pending]) {
      if (pending.lastSweep > this.#sweeps || !this.#take(pending)) continue;
      pending.settle(new StoreFailure('the session store does not answer'));
    }
    if (this.#pending.length > 0) return;
    this.#stopSweeping?.();
    this.#stopSweeping = undefined;
  }
}

const ANSWERED = -1;
const UNEXPLAINED = 'no reason given';

/** @param sessionId what it is about, if that is a secret */
export function failureOf(error: unknown, sessionId: string | undefined): StoreFailure {
  return new StoreFailure(`the session store failed: ${reasonOf(error, sessionId)}`, error);
}

/** Without secrets: neither the session's id nor the names of files, which hold the ids of their sessions. */
export function reasonOf(error: unknown, sessionId: string | undefined): string {
  const reason = error instanceof Error && error.message ? error.message : String(error);
  const { path } = error as { path?: unknown };
  const secrets = [path, sessionId].filter((part): part is string => typeof part === 'string' && part !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), reason);
}
