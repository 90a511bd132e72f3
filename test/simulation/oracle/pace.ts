import type { Truth } from './truth.js';

/** More happens in no instant, unless somebody is caught in a loop. */
const STEPS_PER_INSTANT = 10_000;

/** Time goes on, and never goes back. */
export class Pace {
  #instant = 0;
  #stepsInInstant = 0;

  constructor(private readonly truth: Truth) {}

  afterStep(): void {
    const fault = this.truth.clocks.fault(this.truth.at, this.truth.world.wall());
    if (fault) this.truth.break('time never goes back', fault);
    this.#stepsInInstant = this.#instant === this.truth.at ? this.#stepsInInstant + 1 : 0;
    this.#instant = this.truth.at;
    if (this.#stepsInInstant > STEPS_PER_INSTANT)
      this.truth.break('time goes on', 'the event loop turns and turns, and nothing else gets a chance');
  }
}
