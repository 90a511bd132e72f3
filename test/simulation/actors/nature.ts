import type { Random } from '../world/random.js';
import type { Weather } from '../world/session-storage.js';
import type { World } from '../world/world.js';

const BAD_WEATHER: Record<Exclude<Weather, 'calm'>, number> = {
  slow: 4,
  flaky: 4,
  failing: 3,
  frozen: 2,
  mute: 2,
  echoing: 2,
  disconnected: 1,
};
const HOUR_MS = 3_600_000;

/** What nobody in the world can help: crashes, deployments, clocks that are set, and the store's bad days. */
export class Nature {
  readonly #troubles: readonly (() => void)[];

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    const all = [() => this.#badWeather(), () => this.#crash(), () => this.#deploy(), () => this.#setClock()];
    // Many stories know only one kind of trouble, and some none: those hold the engine to its promises most strictly.
    this.#troubles = all.filter(() => random.chance(0.35));
  }

  begin(until: number): void {
    if (this.#troubles.length === 0) return;
    this.world.scheduler.after(this.random.between(1000, 50_000), 'nature', () => {
      if (this.world.scheduler.now > until) return;
      this.random.pick(this.#troubles)();
      this.begin(until);
    });
  }

  /** The weather clears, and the server is up: from now on nothing stands in the way of the promises. */
  rest(): void {
    this.#clearUp();
    this.world.boot();
  }

  #badWeather(): void {
    const weather = this.random.weighted(BAD_WEATHER);
    const durationMs = this.random.between(500, 20_000);
    this.world.storage.change(weather, durationMs);
    this.world.note(`the store is ${weather}`);
    if (weather === 'disconnected') this.world.process?.store.emit('disconnect');
    this.world.scheduler.after(durationMs, 'the weather clears', () => this.#clearUp());
  }

  #clearUp(): void {
    this.world.storage.change('calm', 0);
    this.world.process?.store.emit('connect');
  }

  #crash(): void {
    this.world.crash();
    this.#bootIn(this.random.pick([0, 500, 5000, 40_000]));
  }

  #deploy(): void {
    this.world.stop(this.random.between(1000, 20_000));
    this.#bootIn(this.random.between(3000, 15_000));
  }

  #bootIn(longestMs: number): void {
    this.world.scheduler.after(this.random.between(0, longestMs), 'boot', () => this.world.boot());
  }

  #setClock(): void {
    const sizeMs = this.random.pick([
      this.random.between(1, 2000),
      this.random.between(2000, 60_000),
      HOUR_MS,
    ]);
    this.world.stepWallClock(this.random.chance(0.5) ? sizeMs : -sizeMs);
  }
}
