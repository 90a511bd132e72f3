import { setTimeout as pause } from 'node:timers/promises';

/**
 * How long something kept the event loop from turning: by the clock or by the CPU time of the process, whichever is
 * less, because a process that others on the machine keep waiting has not blocked anything itself.
 */
export class BlockTimer {
  #clock = performance.now();
  #cpu = process.cpuUsage();

  elapsedMs(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return Math.min(performance.now() - this.#clock, (user + system) / 1000);
  }
}

/** The longest time between two turns of the event loop while the work was done, in milliseconds. */
export async function longestStandstill(work: () => Promise<unknown>): Promise<number> {
  // What was allocated before is not to be collected on this account.
  global.gc?.();
  await pause(50);
  let longestMs = 0;
  let working = true;
  let timer = new BlockTimer();
  const turn = (): void => {
    longestMs = Math.max(longestMs, timer.elapsedMs());
    timer = new BlockTimer();
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  await pause(10);
  working = false;
  return longestMs;
}
