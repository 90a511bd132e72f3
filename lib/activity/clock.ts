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

  /** As {@link every} second; at the turn of each, if the clock can do that. */
  everySecond(callback: () => unknown): () => void {
    return this.every(SECOND_MS, callback);
  }
}

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

  /** Deadlines are worked off by whole seconds: who looks at the turn of one is never most of a second late. */
  override everySecond(callback: () => unknown): () => void {
    let stop: () => void;
    const wait = (): void => {
      stop = this.every(SECOND_MS - (this.now() % SECOND_MS), () => {
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
