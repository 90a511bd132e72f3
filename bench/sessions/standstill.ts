import { setTimeout as pause } from 'node:timers/promises';

/**
 * The longest time for which the work kept the event loop from turning, in milliseconds.
 *
 * Each turn is measured by the clock and by the CPU time of the process, and the lesser of the two counts: a process that
 * others on the machine have kept waiting has not blocked anything itself.
 */
export async function longestStandstill(work: () => Promise<unknown>): Promise<number> {
  // What was allocated before is not to be collected on this account.
  global.gc?.();
  await pause(50);
  const turns = new Turns();
  await work();
  await pause(10);
  return turns.stop();
}

class Turns {
  #longest = 0;
  #stopped = false;
  #last = now();

  constructor() {
    setImmediate(() => this.#turn());
  }

  stop(): number {
    this.#stopped = true;
    return this.#longest;
  }

  #turn(): void {
    const { clock, cpu } = now();
    this.#longest = Math.max(this.#longest, Math.min(clock - this.#last.clock, cpu - this.#last.cpu));
    this.#last = { clock, cpu };
    if (!this.#stopped) setImmediate(() => this.#turn());
  }
}

function now(): { clock: number; cpu: number } {
  const { user, system } = process.cpuUsage();
  return { clock: performance.now(), cpu: (user + system) / 1000 };
}
