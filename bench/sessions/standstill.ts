import { setTimeout as pause } from 'node:timers/promises';

/** Reading the CPU time costs some microseconds, which would be most of what a short turn of the event loop costs. */
const CPU_EVERY_MS = 1;

/**
 * How long something kept the event loop from turning: by the clock or by the CPU time of the process, whichever is
 * less, because a process that others on the machine keep waiting has not blocked anything itself.
 */
export class BlockTimer {
  #clock = performance.now();
  #cpu = process.cpuUsage();

  elapsedMs(): number {
    return Math.min(performance.now() - this.#clock, this.#cpuMs());
  }

  #cpuMs(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return (user + system) / 1000;
  }
}

/** The longest of many turns of the event loop. */
class TurnTimer {
  longestMs = 0;
  #turnedAt = performance.now();
  /** The CPU time as read last: at most so long before the turn began that it does not matter. */
  #cpu = process.cpuUsage();
  #cpuReadAt = this.#turnedAt;

  /** The loop has turned. */
  turned(): void {
    const now = performance.now();
    const clockMs = now - this.#turnedAt;
    if (clockMs > this.longestMs || now - this.#cpuReadAt > CPU_EVERY_MS) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.longestMs = Math.max(this.longestMs, Math.min(clockMs, (user + system) / 1000));
      this.#cpu = process.cpuUsage();
      this.#cpuReadAt = performance.now();
    }
    this.#turnedAt = performance.now();
  }
}

/** The longest time between two turns of the event loop while the work was done, in milliseconds. */
export async function longestStandstill(work: () => Promise<unknown>): Promise<number> {
  // What was allocated before is not to be collected on this account.
  global.gc?.();
  await pause(50);
  let working = true;
  const timer = new TurnTimer();
  const turn = (): void => {
    timer.turned();
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  await pause(10);
  working = false;
  return timer.longestMs;
}
