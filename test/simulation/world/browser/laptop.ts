import type { Random } from '../random.js';
import type { Scheduler } from '../scheduler.js';

/** An arbitrary time of day, which the server does not share. */
const EPOCH = Date.UTC(2026, 9, 25, 0, 30);
/** Programs go on within this time when the machine wakes up. */
const LONGEST_STRETCH_MS = 100;

/** The machine that a browser runs on: two clocks, and sleep, in which nothing runs. In milliseconds. */
export class Laptop {
  /** macOS and Linux stop the monotonic clock in sleep, Windows does not. */
  readonly stopsInSleep: boolean;
  #asleepSince: number | undefined;
  #stoodStill = 0;
  #set = 0;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
  ) {
    this.stopsInSleep = random.chance(0.6);
  }

  get asleep(): boolean {
    return this.#asleepSince !== undefined;
  }

  wall(): number {
    return EPOCH + this.scheduler.now + this.#set;
  }

  monotonic(): number {
    return this.scheduler.now - this.#stoodStill;
  }

  /** Somebody sets the clock. */
  setClock(byMs: number): void {
    this.#set += byMs;
  }

  sleep(): void {
    this.#asleepSince ??= this.scheduler.now;
  }

  wake(): void {
    if (this.#asleepSince === undefined) return;
    if (this.stopsInSleep) this.#stoodStill += this.scheduler.now - this.#asleepSince;
    this.#asleepSince = undefined;
    for (const run of this.#waiting.splice(0))
      this.scheduler.after(this.random.between(0, LONGEST_STRETCH_MS), 'the laptop goes on', () =>
        this.whenAwake(run),
      );
  }

  /** Now, or when the machine wakes up. */
  whenAwake(run: () => void): void {
    if (this.asleep) this.#waiting.push(run);
    else run();
  }

  /** Runs something when the monotonic clock shows `due`, and asks before whether that still matters. */
  whenDue(due: number, label: string, run: () => void, matters: () => boolean): void {
    const look = (): void =>
      this.whenAwake(() => {
        if (this.monotonic() < due) this.whenDue(due, label, run, matters);
        else run();
      });
    this.scheduler.after(Math.max(0, due - this.monotonic()), label, look, matters);
  }
}
