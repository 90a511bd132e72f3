import { SystemClock } from '../../../lib/activity/clock.js';

/** What a machine's clocks show, in milliseconds. */
export interface MachineTime {
  /** Since the process began; nobody sets it. */
  monotonic(): number;
  /** Epoch milliseconds; people and time servers set it. */
  wall(): number;
  /** Repeats while the process lives. */
  every(milliseconds: number, callback: () => unknown): () => void;
}

/** The real clock of the engine, on the clocks of a simulated machine. */
export class MachineClock extends SystemClock {
  constructor(private readonly time: MachineTime) {
    super();
  }

  override every(milliseconds: number, callback: () => unknown): () => void {
    return this.time.every(milliseconds, callback);
  }

  protected override monotonic(): number {
    return this.time.monotonic();
  }

  protected override wall(): number {
    return this.time.wall();
  }
}
