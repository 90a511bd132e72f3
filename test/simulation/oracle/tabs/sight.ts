import type { SeenPage } from './seen-page.js';
import { LONGEST_DELAY_MS, SLACK_MS, type TabHistory } from './tab-history.js';

/** What one tab knows of an end, all others know within this time. */
const SPREADS_WITHIN_MS = 1000;

/** Never late: nothing is seen after the end, nor in one tab what another knows to be over. And dead stays dead: content
 * comes back only on the server's word. */
export class Sight {
  constructor(private readonly history: TabHistory) {}

  /** Who asks whether the content is to be hidden is told so. */
  checkHidden({ page, title, coveredSince, endedAt }: SeenPage): void {
    if (page.monitor.isHidden() !== (coveredSince !== undefined || endedAt !== undefined))
      this.history.break('never late', `${title} does not tell that its content is to be hidden`);
  }

  /** What is over by all that was ever told may not be seen. */
  checkVisible(seen: SeenPage): void {
    const told = this.history.toldOf(seen);
    if (!told) return;
    if (Math.max(told.toldAt, seen.shownSince!) < seen.page.restoredAt)
      this.history.break('never late', `${seen.title} shows again what it showed before it was cached`);
    const lateMs = this.history.at - told.endsAt;
    if (lateMs > LONGEST_DELAY_MS + SLACK_MS + this.history.clockErrorMs)
      this.history.break(
        'never late',
        `${seen.title} shows its content ${lateMs} ms after the end of ${told.life.title}`,
      );
  }

  /** What one tab knows of an end, the others know too. */
  checkSpread(seen: SeenPage): void {
    const overSince = seen.owner === undefined ? undefined : this.history.overSince.get(seen.owner);
    if (overSince === undefined || !this.history.desktop.hasChannels || seen.page.awakeSince > overSince)
      return;
    // A page that was still beginning then had no channel to hear it by.
    if (this.history.at > overSince + SPREADS_WITHIN_MS && seen.shownSince! < overSince)
      this.history.break(
        'never late',
        `${seen.title} shows its content, and another page has known since ${overSince} that it is over`,
      );
  }

  /** Content comes back only if the session lives; after the back/forward cache, if the server has said so since then. */
  checkReturn(seen: SeenPage): void {
    const told = this.history.toldOf(seen);
    if (!told) return;
    if (this.history.exempt.has(seen.owner!)) return;
    if (told.endsAt < this.history.at - LONGEST_DELAY_MS || told.toldAt < seen.page.restoredAt)
      this.history.break('dead stays dead', `${seen.title} shows its content again, and nobody has asked`);
  }

  finish(): void {
    for (const seen of this.history.pages.values())
      if (seen.shownSince !== undefined && !this.history.isExempt(seen))
        this.history.break('never late', `${seen.title} is still shown in the end`);
  }
}
