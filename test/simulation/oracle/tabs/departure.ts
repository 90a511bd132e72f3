import type { AnySessionEvent } from '../../../../lib/events/session-event.js';
import type { ServerProcess } from '../../world/server-process.js';
import type { Life } from '../life.js';
import { stamp } from '../truth.js';
import type { SeenPage } from './seen-page.js';
import { LONGEST_DELAY_MS, SLACK_MS, type TabHistory } from './tab-history.js';

/** Never early: no page is covered or left, and no session ended, while somebody was there. */
export class Departure {
  constructor(private readonly history: TabHistory) {}

  /** The server has ended a session for want of activity. */
  checkExpiry(life: Life, process: ServerProcess, event: AnySessionEvent & { dueAt: number }): void {
    const told = [...this.history.told.values()].find((each) => each.life === life);
    if (!told || !this.history.isCertain(life)) return;
    // With a server's clock that was set forward since, the session ends sooner than any page can know.
    if (!this.history.isToldByPresent(told)) return;
    if (life.limits.expireAfter * 1000 !== told.warnAfterMs + told.periodMs) return;
    const deadline = this.history.at - (stamp(process) - event.dueAt);
    // What comes in the last moment may arrive too late.
    const last = this.history.activities.findLast(
      ({ at, seen }) => at < deadline - this.history.lastMomentMs(told) && this.history.toldOf(seen) === told,
    );
    if (!last || last.at <= deadline - told.periodMs - told.warnAfterMs + SLACK_MS + LONGEST_DELAY_MS) return;
    if (!this.history.isUndisturbed(last.at)) return;
    const { page } = last.seen;
    if (page.awakeSince > last.at) return;
    this.history.break(
      'never early',
      `${life.title} ended at ${deadline}, and somebody was active in ${page.title} at ${last.at}`,
    );
  }

  /** A page is left only on the server's word, and that is not given while the session lives. */
  checkEnd(seen: SeenPage): void {
    const overSince = seen.owner === undefined ? undefined : this.history.overSince.get(seen.owner);
    if (overSince === undefined || !this.history.over)
      return this.history.break('never early', `${seen.title} ended, and the server did not say so`);
    const { sentAt, sessionId, path } = this.history.over;
    const life = this.history.toldOf(seen)?.life;
    if (!life || path === 'end' || sessionId !== life.sessionId || this.history.cookie !== sessionId) return;
    if (
      this.history.cookieSince < sentAt &&
      !this.history.truth.troubledSince(sentAt) &&
      this.history.lives(life)
    )
      this.history.break('never early', `${seen.title} ended, and ${life.title} goes on`);
  }

  /** A page is covered when it should have ended by what was told. */
  checkCover(seen: SeenPage): void {
    const told = this.history.toldOf(seen);
    if (!told || !this.history.hasHeard(seen, told)) return;
    const earlyMs = told.heardEndsAt - this.history.at;
    if (earlyMs > SLACK_MS)
      this.history.break(
        'never early',
        `${seen.title} was covered ${earlyMs} ms before the end of ${told.life.title}`,
      );
  }
}
