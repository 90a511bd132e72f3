import { Clock } from '../activity/clock.js';

/** What a request leaves to be written takes two turns, a read and a write; several may wait for each other. */
const ANSWER_TURNS = 20;

interface Repeating {
  readonly milliseconds: number;
  readonly callback: () => unknown;
  next: number;
}

/**
 * Time that passes only when a test says so.
 *
 * It begins at the real now, because session stores look at the real clock, on a whole second, so that deadlines and the
 * engine's ticks fall together. Replace the module's clock with it:
 *
 * ```ts
 * const clock = new VirtualClock();
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(Clock)
 *   .useValue(clock)
 *   .compile();
 * ```
 *
 * @publicApi
 */
export class VirtualClock extends Clock {
  readonly #repeating = new Set<Repeating>();
  #isUsed = false;
  #now: number;

  /** @param now the instant to begin at, epoch milliseconds. */
  constructor(now = Math.ceil(Date.now() / 1000) * 1000) {
    super();
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  every(milliseconds: number, callback: () => unknown): () => void {
    this.#isUsed = true;
    const repeating = { milliseconds, callback, next: this.#now + milliseconds };
    this.#repeating.add(repeating);
    return () => this.#repeating.delete(repeating);
  }

  /**
   * Lets seconds pass, with everything that is due on the way, and waits until that is done. Before they begin, a session
   * store that answers at once has answered what requests have left to be written.
   *
   * @throws if no application has begun to go by this clock: its sessions would not notice that time passes.
   */
  async advance(seconds: number): Promise<void> {
    this.#requireUse();
    for (let turn = 0; turn < ANSWER_TURNS; turn++) await realTurn();
    const end = this.#now + Math.round(seconds * 1000);
    for (let next; (next = this.#nextDue(end));) await this.#callAt(next);
    this.#now = end;
  }

  /** As {@link advance}, but waits for nothing that it sets off: for a session store that hangs. */
  async pass(seconds: number): Promise<void> {
    this.#requireUse();
    const end = this.#now + Math.round(seconds * 1000);
    for (let next; (next = this.#nextDue(end));) {
      this.#callAt(next);
      await realTurn();
    }
    this.#now = end;
  }

  /** Moves the clock by seconds without anything being called: a machine that stood still. */
  jump(seconds: number): void {
    this.#now += seconds * 1000;
    for (const entry of this.#repeating) entry.next = Math.max(entry.next, this.#now);
  }

  #requireUse(): void {
    if (this.#isUsed) return;
    throw new Error(
      'No application goes by this VirtualClock yet. Give it to the testing module before compile(), ' +
        '.overrideProvider(Clock).useValue(clock) with the Clock of nestjs-session-security/testing, and call app.init() or ' +
        'app.listen() before time passes.',
    );
  }

  #nextDue(end: number): Repeating | undefined {
    return [...this.#repeating].filter((entry) => entry.next <= end).sort((a, b) => a.next - b.next)[0];
  }

  #callAt(entry: Repeating): unknown {
    this.#now = Math.max(this.#now, entry.next);
    entry.next += entry.milliseconds;
    return entry.callback();
  }
}

/** Stores answer in real time, also those that answer at once: without a turn for them, only virtual time would pass. */
function realTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
