import type { Random } from '../world/random.js';
import type { RedisWeather } from './redis-link.js';
import type { SharedWorld } from './shared-world.js';

const USERS = ['anna', 'ben', 'cleo'];

/** What befalls processes and their Redis: they are killed, deployed, stand still; it is slow, stands still, goes away. */
export class Misfortune {
  readonly #troubles: readonly (() => void)[];
  #resting = false;

  constructor(
    private readonly world: SharedWorld,
    private readonly random: Random,
  ) {
    const cutOff = [() => this.#badWeather(['stalled', 'refused'])];
    // While some processes reach Redis and others do not, only what needs no trust in memory is promised.
    const partly = [
      () => this.#badWeather(['slow', 'flaky']),
      () => this.#badLink(['slow', 'stalled', 'refused', 'flaky']),
    ];
    const all = [
      () => this.#crash(),
      () => this.#deploy(),
      () => this.#freeze(),
      ...(world.settings.grace > 0 ? cutOff : [...cutOff, ...partly]),
    ];
    // Many stories know only one kind of trouble, and some none: those hold the engine to its promises most strictly.
    this.#troubles = all.filter(() => random.chance(0.3));
  }

  begin(until: number): void {
    this.world.scheduler.after(this.random.between(500, 15_000), 'misfortune', () => {
      if (this.world.scheduler.now > until) return;
      if (this.random.chance(0.15)) this.world.revoke(this.random.pick(USERS));
      else if (this.#troubles.length > 0) this.random.pick(this.#troubles)();
      this.begin(until);
    });
  }

  /** From now on nothing stands in the way of the promises. */
  rest(): void {
    this.#resting = true;
    this.world.changeWeather('calm');
    for (const seat of this.world.seats) this.world.boot(seat);
  }

  #crash(): void {
    const seat = this.random.pick(this.world.seats);
    this.world.crash(seat);
    this.#bootIn(seat.number, this.random.pick([0, 500, 5000, 20_000]));
  }

  #deploy(): void {
    const seat = this.random.pick(this.world.seats);
    this.world.stop(seat, this.random.between(3000, 15_000));
    this.#bootIn(seat.number, this.random.between(3000, 15_000));
  }

  #bootIn(seatNumber: number, longestMs: number): void {
    const seat = this.world.seats.find(({ number }) => number === seatNumber)!;
    this.#later(this.random.between(0, longestMs), () => {
      // A deployment waits for the process before it.
      if (seat.process) return this.#bootIn(seatNumber, 2000);
      this.world.boot(seat);
    });
  }

  #freeze(): void {
    const { process } = this.random.pick(this.world.seats);
    if (process) this.world.freeze(process, this.random.pick([300, 1500, 4000, 9000]));
  }

  #badWeather(kinds: readonly RedisWeather[]): void {
    this.world.changeWeather(this.random.pick(kinds));
    this.#later(this.#spellMs(), () => this.world.changeWeather('calm'));
  }

  #badLink(kinds: readonly RedisWeather[]): void {
    const { process } = this.random.pick(this.world.seats);
    if (!process) return;
    this.world.changeLink(process, this.random.pick(kinds));
    this.#later(this.#spellMs(), () => this.world.changeLink(process, 'calm'));
  }

  #spellMs(): number {
    return this.random.pick([300, 1500, 3000, 8000]) + this.random.between(0, 500);
  }

  #later(delayMs: number, run: () => void): void {
    this.world.scheduler.after(delayMs, 'misfortune', () => {
      if (!this.#resting) run();
    });
  }
}
