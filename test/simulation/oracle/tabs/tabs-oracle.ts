import type { Reply } from '../../../../client/core/answer.js';
import type { MonitorEvent } from '../../../../client/core/ports.js';
import type { AnySessionEvent } from '../../../../lib/events/session-event.js';
import type { SessionStatus } from '../../../../lib/http/ping-answer.js';
import type { Desktop, DesktopWitness, PageRequest } from '../../world/browser/desktop.js';
import type { Page } from '../../world/browser/page.js';
import type { ServerProcess } from '../../world/server-process.js';
import type { Life } from '../life.js';
import type { Truth } from '../truth.js';
import { Departure } from './departure.js';
import { Requests } from './requests.js';
import { Sight } from './sight.js';
import { TabHistory } from './tab-history.js';
import { TabWarnings } from './tab-warnings.js';

/**
 * Holds the promises of the client against what can be seen of the pages of one browser, knowing the truth of the server:
 * what is covered, warned of and left, when, and what is asked for. It shares no code with the client's core. Where
 * requests fail or take long it claims only what has to hold without the network. Each family of promises has a part of
 * its own; this one hands out what is seen.
 */
export class TabsOracle implements DesktopWitness {
  readonly #history: TabHistory;
  readonly #sight: Sight;
  readonly #departure: Departure;
  readonly #warnings: TabWarnings;
  readonly #requests: Requests;

  constructor(truth: Truth, desktop: Desktop) {
    const history = (this.#history = new TabHistory(truth, desktop));
    this.#sight = new Sight(history);
    this.#departure = new Departure(history);
    this.#warnings = new TabWarnings(history);
    this.#requests = new Requests(history);
  }

  // What happens in the browser.

  opened(page: Page): void {
    this.#history.opened(page);
  }

  gone(page: Page): void {
    this.#history.gone(page);
  }

  stirred(): void {
    this.#history.stirred();
  }

  asked(request: PageRequest): void {
    const seen = this.#history.pages.get(request.page);
    if (!seen) return;
    this.#requests.check(seen, request);
    this.#history.asked(request);
  }

  heard(request: PageRequest, reply: Reply | undefined): void {
    this.#history.heard(request, reply);
  }

  happened(page: Page, event: MonitorEvent): void {
    const { pages, activities, at } = this.#history;
    const seen = pages.get(page);
    if (!seen) return;
    const [type] = event;
    if (type === 'expire') this.#departure.checkEnd(seen);
    if (type === 'cover') {
      this.#departure.checkCover(seen);
      // What shows a page that it should have ended is not counted before the server was asked.
      const last = activities.at(-1);
      if (last?.seen === seen && last.at === at) activities.pop();
    }
    if (type === 'active' && seen.coveredSince !== undefined) this.#sight.checkReturn(seen);
    seen.happened(event, at);
  }

  acted(page: Page, staying: boolean): void {
    const { pages, activities, at } = this.#history;
    const seen = pages.get(page);
    if (!seen?.isSeen || !this.#history.toldOf(seen)) return;
    const isWarned = seen.warnedSince !== undefined;
    if (isWarned && seen.isFinal) return;
    activities.push({ at, seen });
    if (isWarned) this.#warnings.expectRelief(seen, staying);
  }

  // What happens on the server.

  pinged(status: SessionStatus, life: Life): void {
    this.#history.pinged(status, life);
  }

  serverChanged(): void {
    this.#history.serverChanged();
  }

  /** The server has ended a session for want of activity. */
  expired(life: Life, process: ServerProcess, event: AnySessionEvent & { dueAt: number }): void {
    this.#departure.checkExpiry(life, process, event);
  }

  // What must hold after every step.

  afterStep(): void {
    const { pages } = this.#history;
    if (pages.size === 0) return;
    this.#history.cookieSeen();
    for (const seen of pages.values()) {
      this.#sight.checkHidden(seen);
      if (!seen.isSeen || this.#history.isExempt(seen)) continue;
      this.#sight.checkVisible(seen);
      this.#warnings.checkWarned(seen);
      this.#sight.checkSpread(seen);
    }
  }

  /** Nothing has happened for long, everybody is signed out, and nothing stands in the way. */
  finish(): void {
    this.#sight.finish();
  }
}
