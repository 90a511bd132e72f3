import type { PageRequest } from '../../world/browser/desktop.js';
import type { SeenPage } from './seen-page.js';
import { SLACK_MS, type TabHistory } from './tab-history.js';

/** Nobody asks this often within a second. */
const MOST_REQUESTS_A_SECOND = 8;

/** Costs nothing, and invents nothing: what is asked for is needed, and what is told as activity was some. */
export class Requests {
  constructor(private readonly history: TabHistory) {}

  #sentAt: number[] = [];

  check(seen: SeenPage, { idleFor, path }: PageRequest): void {
    this.#checkPace(seen);
    if (idleFor !== undefined) this.#checkNews(seen, idleFor);
    if (path === 'ping') this.#checkNeed(seen, idleFor !== undefined);
  }

  /** What is told as activity was some, and what has ended is never extended. */
  #checkNews(seen: SeenPage, idleFor: number): void {
    if (seen.shownSince === undefined)
      this.history.break('dead stays dead', `${seen.title} tells activity while it is covered`);
    const told = this.history.toldOf(seen);
    const newest = this.history.lastActivityOf(seen.owner);
    const claimed = this.history.at - idleFor * 1000;
    if (told && claimed > newest + SLACK_MS + this.history.clockErrorMs)
      this.history.break(
        'never late',
        `${seen.title} tells activity at ${claimed}, the last was at ${newest}`,
      );
  }

  /** Nobody asks without a need: near the warning, during it, or because of doubt. */
  #checkNeed(seen: SeenPage, isNews: boolean): void {
    const told = this.history.toldOf(seen);
    if (!told || seen.shownSince === undefined || isNews) return;
    const leadMs = Math.min(5000, told.warnAfterMs / 25);
    const earlyMs = told.heardWarnsAt - leadMs - this.history.at;
    if (earlyMs > SLACK_MS && !this.history.hasDoubts(seen) && this.history.hasHeard(seen, told))
      this.history.break('costs nothing', `${seen.title} asks ${earlyMs} ms before there is a need`);
  }

  #checkPace(seen: SeenPage): void {
    this.#sentAt = [...this.#sentAt.filter((at) => at > this.history.at - 1000), this.history.at];
    if (this.#sentAt.length > MOST_REQUESTS_A_SECOND * Math.max(1, this.history.pages.size))
      this.history.break(
        'costs nothing',
        `${seen.title} asks, and ${this.#sentAt.length} requests went out within a second`,
      );
  }
}
