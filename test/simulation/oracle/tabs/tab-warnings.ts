import { QUICK_MS } from './calm.js';
import type { SeenPage } from './seen-page.js';
import { LONGEST_DELAY_MS, SLACK_MS, type TabHistory } from './tab-history.js';

/** Activity in one tab calls the warning off in the others within this time. */
const CALLED_OFF_WITHIN_MS = 250;

/** Warned first: every page warns in time, and activity calls the warning off in all of them. */
export class TabWarnings {
  constructor(private readonly history: TabHistory) {}

  checkWarned(seen: SeenPage): void {
    const told = this.history.toldOf(seen);
    if (!told || seen.warnedSince !== undefined) return;
    const lateMs = this.history.at - told.warnsAt;
    if (lateMs <= LONGEST_DELAY_MS + SLACK_MS + this.history.clockErrorMs) return;
    const { awakeSince, visibleSince } = seen.page;
    if (Math.max(awakeSince, visibleSince, seen.openedAt) > told.warnsAt - LONGEST_DELAY_MS) return;
    if (this.history.lastActivityOf(seen.owner) > this.history.at - LONGEST_DELAY_MS) return;
    // What is heard lets a page tell at once what it knows better. Without channels it knows nothing of what the others
    // were told, and still waits for its own activity to arrive.
    const knownAt = this.history.desktop.hasChannels ? Math.max(told.toldAt, told.heardAt) : seen.heardAt;
    if (this.history.at > knownAt + QUICK_MS && this.history.isCalmSince(knownAt - QUICK_MS))
      this.history.break('warned first', `${seen.title} is not warned ${lateMs} ms after that was due`);
  }

  /** Activity during a warning calls it off: at once in all other tabs, and here when the server has answered. */
  expectRelief(seen: SeenPage, staying: boolean): void {
    const { scheduler } = this.history.truth.world;
    const at = this.history.at;
    const told = this.history.toldOf(seen)!;
    if (at > told.endsAt - this.history.lastMomentMs(told)) return;
    const hears = (other: SeenPage): boolean =>
      other !== seen && other.owner === seen.owner && other.page.isAwake && this.history.desktop.hasChannels;
    const others = staying ? [] : [...this.history.pages.values()].filter(hears);
    const check = (which: readonly SeenPage[], what: string): void => {
      for (const { page, warnedSince, title } of which)
        if (page.alive && page.awakeSince <= at && warnedSince !== undefined && warnedSince <= at)
          this.history.break(
            'warned first',
            `${title} still warns, and somebody was active in ${seen.title} at ${at}${what}`,
          );
    };
    scheduler.after(CALLED_OFF_WITHIN_MS, 'the oracle looks', () => check(others, ''));
    scheduler.after(LONGEST_DELAY_MS, 'the oracle looks', () => {
      // Nobody tells a lonely page that the server, which it has asked in vain, is back.
      if (!this.history.desktop.hasChannels && seen.failedAt > seen.heardAt) return;
      if (this.history.isUndisturbed(at) && this.history.lives(told.life) && !told.isFinal)
        check([seen], ', and that is told');
    });
  }
}
