import { Injectable } from '@nestjs/common';

/**
 * Time, injected everywhere; also the token to replace it in tests.
 *
 * @publicApi
 */
export abstract class Clock {
  /** Epoch milliseconds UTC. Never goes back. */
  abstract now(): number;
  /**
   * Calls back every `milliseconds` until the returned function is called; keeps no process alive. What the callback
   * answers is only of use to a clock that waits for it, as one in a test does.
   */
  abstract every(milliseconds: number, callback: () => unknown): () => void;

  /** As {@link every} quarter of a second, at its turn; a clock in a test may do so once a second. */
  everyQuarter(callback: () => unknown): () => void {
    return this.every(SECOND_MS, callback);
  }
}

/** Deadlines are worked off by quarters of a second. */
export const QUARTER_MS = 250;
const SECOND_MS = 1000;

/**
 * The machine's time: the monotonic clock carries it, the wall clock can only push it forward. So a wall clock that is
 * set back neither extends nor ends a session, and time spent asleep (the monotonic clock of Linux and macOS stops
 * then) counts as soon as the machine wakes.
 */
@Injectable()
export class SystemClock extends Clock {
  #offset = -Infinity;

  now(): number {
    const monotonic = this.monotonic();
    this.#offset = Math.max(this.#offset, this.wall() - monotonic);
    // Whole milliseconds, as epoch instants are kept everywhere.
    return Math.floor(monotonic + this.#offset);
  }

  every(milliseconds: number, callback: () => unknown): () => void {
    const timer = setInterval(callback, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Whoever looks at the turn of each quarter is late by less than one, and the work of a second comes in four parts. */
  override everyQuarter(callback: () => unknown): () => void {
    let stop: () => void;
    const wait = (): void => {
      stop = this.every(QUARTER_MS - (this.now() % QUARTER_MS), () => {
        stop();
        wait();
        return callback();
      });
    };
    wait();
    return () => stop();
  }

  /** Milliseconds of a clock that nobody sets. */
  protected monotonic(): number {
    return performance.now();
  }

  /** Epoch milliseconds of the clock that people and time servers set. */
  protected wall(): number {
    return Date.now();
  }
}

/** The machine's monotonic clock alone: its instants have no meaning of their own, and nobody can set it. */
@Injectable()
export class SteadyClock extends Clock {
  now(): number {
    return performance.now();
  }

  every(milliseconds: number, callback: () => unknown): () => void {
    const timer = setInterval(callback, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  }
}
