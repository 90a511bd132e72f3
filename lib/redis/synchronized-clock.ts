import { Clock } from '../activity/clock.js';

/**
 * A process's estimate of Redis's time, so that application servers whose wall clocks disagree judge alike.
 *
 * Each reply that carries Redis's time bounds the distance between the two clocks: Redis read its clock after the
 * command was sent and before the reply came. The estimate is the tightest upper bound, so it is never behind Redis:
 * activity stamped with it is never recorded too early. On a Cluster each server has a clock, and the one that is ahead
 * counts. The process's own clock only carries the time from one reply to the next.
 */
export class SynchronizedClock extends Clock {
  readonly #distances = new Map<number, number>();
  #distance = 0;
  #last = 0;

  constructor(private readonly base: Clock) {
    super();
  }

  /** Whether Redis has been heard yet; before that, instants mean nothing. */
  get synchronized(): boolean {
    return this.#distances.size > 0;
  }

  now(): number {
    this.#last = Math.max(this.#last, Math.ceil(this.base.now() + this.#distance));
    return this.#last;
  }

  every(milliseconds: number, callback: () => unknown): () => void {
    return this.base.every(milliseconds, callback);
  }

  /** The instant of the process's own clock, as {@link learn} wants it. */
  local(): number {
    return this.base.now();
  }

  /** Takes in that a shard's time was `remote` somewhen between the local instants `sent` and `received`. */
  learn(shard: number, remote: number, sent: number, received: number): void {
    const [lowest, highest] = [remote - received, remote + 1 - sent];
    const known = this.#distances.get(shard);
    // Outside of the bounds one of the clocks has been set; else the bounds only get tighter.
    const distance = known === undefined || known < lowest ? highest : Math.min(known, highest);
    if (distance === known) return;
    // The first estimate replaces the process's own idea of the time, which may be ahead by any span.
    if (known === undefined && !this.synchronized) this.#last = 0;
    this.#distances.set(shard, distance);
    this.#distance = Math.max(...this.#distances.values());
  }
}
