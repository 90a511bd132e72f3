import type { SessionStatus } from '../../../../lib/http/ping-answer.js';
import type { Life } from '../life.js';

/** What pings have told of the session of one owner, at best. Instants of the world's time. */
export class ToldTimes {
  endsAt = -Infinity;
  warnsAt = -Infinity;
  toldAt = -Infinity;
  /** What a page has heard last, and the least that it can make of that. */
  heardAt = -Infinity;
  heardEndsAt = -Infinity;
  heardWarnsAt = -Infinity;
  /** It ends by its absolute limit, so that activity calls nothing off. */
  isFinal = false;
  /** The warning period, in milliseconds. */
  periodMs = 0;
  warnAfterMs = 0;

  constructor(readonly life: Life) {}

  add({ expireIn, lifetimeIn, limits }: SessionStatus, at: number): void {
    this.isFinal = lifetimeIn !== null && lifetimeIn <= expireIn!;
    this.toldAt = at;
    const endsAt = at + expireIn! * 1000;
    this.warnAfterMs = limits!.warnAfter * 1000;
    this.periodMs = limits!.expireAfter * 1000 - this.warnAfterMs;
    this.endsAt = Math.max(this.endsAt, endsAt);
    this.warnsAt = Math.max(this.warnsAt, endsAt - this.periodMs);
  }

  hear({ expireIn, limits }: SessionStatus, sentAt: number, at: number): void {
    this.heardAt = at;
    this.heardEndsAt = sentAt + expireIn! * 1000;
    this.heardWarnsAt = this.heardEndsAt - (limits!.expireAfter - limits!.warnAfter) * 1000;
  }
}
