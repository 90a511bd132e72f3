import type { Reply } from '../../../../client/core/answer.js';
import type { MonitorEvent } from '../../../../client/core/ports.js';
import type { AnySessionEvent } from '../../../../lib/events/session-event.js';
import type { SessionStatus } from '../../../../lib/http/ping-answer.js';
import type { Desktop, DesktopWitness, PageRequest } from '../../world/browser/desktop.js';
import type { Page } from '../../world/browser/page.js';
import type { ServerProcess } from '../../world/server-process.js';
import type { Life } from '../life.js';
import { stamp, type Truth } from '../truth.js';
import { Calm, QUICK_MS } from './calm.js';
import { SeenPage } from './seen-page.js';
import { ToldTimes } from './told-times.js';

/** A page may be late by as much as the network, but by no more than this. */
const LONGEST_DELAY_MS = 1000;
/** Timers cut fractions off, and messages between tabs take their time. */
const SLACK_MS = 60;
/** Activity in one tab calls the warning off in the others within this time. */
const CALLED_OFF_WITHIN_MS = 250;
/** What one tab knows of an end, all others know within this time. */
const SPREADS_WITHIN_MS = 1000;
/** Two clocks that are this close are taken for the same; a page that has seen them part may be wrong by so much. */
const CLOCK_TOLERANCE_MS = 500;
/** Nobody asks this often within a second. */
const MOST_REQUESTS_A_SECOND = 8;

interface Activity {
  readonly at: number;
  readonly seen: SeenPage;
}

/**
 * Holds the promises of the client against what can be seen of the pages of one browser, knowing the truth of the server:
 * what is covered, warned of and left, when, and what is asked for. It shares no code with the client's core. Where
 * requests fail or take long it claims only what has to hold without the network.
 */
export class TabsOracle implements DesktopWitness {
  readonly #pages = new Map<Page, SeenPage>();
  readonly #told = new Map<string, ToldTimes>();
  readonly #calm = new Calm();
  readonly #activities: Activity[] = [];
  /** By owner: when a page first heard that there is nothing to watch any more. */
  readonly #overSince = new Map<string, number>();
  /** Owners of whom a page has heard that they are never timed out: what has stopped watching for them watches no more. */
  readonly #exempt = new Set<string>();
  /** The last reply that said of the present session that it is over. */
  #over: PageRequest | undefined;
  #requests: number[] = [];
  #stirredAt = -Infinity;
  #cookieSince = 0;
  #cookie: string | undefined;
  /** Since when server and limits are what they are. */
  #serverSince = 0;

  constructor(
    private readonly truth: Truth,
    private readonly desktop: Desktop,
  ) {}

  // What happens in the browser.

  opened(page: Page): void {
    this.#pages.set(page, new SeenPage(page, this.#at));
  }

  gone(page: Page): void {
    this.#pages.delete(page);
    this.#calm.forget((request) => request.page === page);
  }

  stirred(): void {
    this.#stirredAt = this.#at;
  }

  asked(request: PageRequest): void {
    const { page, idleFor, path } = request;
    const seen = this.#pages.get(page);
    if (!seen) return;
    this.#checkPace(seen);
    if (idleFor !== undefined) this.#checkNews(seen, idleFor);
    if (path === 'ping') this.#checkNeed(seen, idleFor !== undefined);
    this.#calm.asked(request);
  }

  heard(request: PageRequest, reply: Reply | undefined): void {
    this.#calm.heard(request, reply, this.#at);
    const seen = this.#pages.get(request.page);
    if (!seen || !reply) return;
    const status = (reply.body ?? {}) as SessionStatus;
    const { owner, state } = status;
    if (owner && status.limits) {
      this.#told.get(owner)?.hear(status, request.sentAt, this.#at);
      seen.heardAt = this.#at;
    }
    if (state === 'exempt' && owner) this.#exempt.add(owner);
    if (reply.status === 200 && owner) {
      seen.owner ??= owner;
      if (owner === seen.owner) return;
    } else if (reply.status === 200 && state !== 'expired' && state !== 'anonymous') return;
    else if (![200, 401, 403, 410].includes(reply.status)) return;
    this.#over = request;
    if (seen.owner !== undefined && !this.#overSince.has(seen.owner))
      this.#overSince.set(seen.owner, this.#at);
  }

  happened(page: Page, event: MonitorEvent): void {
    const seen = this.#pages.get(page);
    if (!seen) return;
    const [type] = event;
    if (type === 'expire') this.#checkEnd(seen);
    if (type === 'cover') {
      this.#checkCover(seen);
      // What shows a page that it should have ended is not counted before the server was asked.
      const last = this.#activities.at(-1);
      if (last?.seen === seen && last.at === this.#at) this.#activities.pop();
    }
    if (type === 'active' && seen.coveredSince !== undefined) this.#checkReturn(seen);
    seen.happened(event, this.#at);
  }

  acted(page: Page, staying: boolean): void {
    const seen = this.#pages.get(page);
    const told = this.#toldOf(seen);
    if (!seen || !told || seen.shownSince === undefined || !seen.isSeen) return;
    const isWarned = seen.warnedSince !== undefined;
    if (isWarned && seen.isFinal) return;
    this.#activities.push({ at: this.#at, seen });
    if (isWarned) this.#expectRelief(seen, staying);
  }

  // What happens on the server.

  pinged(status: SessionStatus, life: Life): void {
    if (!status.owner || status.expireIn === null) return;
    const told = this.#told.get(status.owner) ?? new ToldTimes(life);
    this.#told.set(status.owner, told);
    told.add(status, this.#at);
  }

  serverChanged(): void {
    this.#serverSince = this.#at;
  }

  /** The server has ended a session for want of activity. */
  expired(life: Life, process: ServerProcess, event: AnySessionEvent & { dueAt: number }): void {
    const told = [...this.#told.values()].find((each) => each.life === life);
    if (!told || !this.#isCertain(life)) return;
    if (life.limits.expireAfter * 1000 !== told.warnAfterMs + told.periodMs) return;
    const deadline = this.#at - (stamp(process) - event.dueAt);
    // What comes in the last moment may arrive too late.
    const last = this.#activities.findLast(
      ({ at, seen }) => at < deadline - this.#lastMomentMs(told) && this.#toldOf(seen) === told,
    );
    if (!last || last.at <= deadline - told.periodMs - told.warnAfterMs + SLACK_MS + LONGEST_DELAY_MS) return;
    if (!this.#isUndisturbed(last.at)) return;
    const { page } = last.seen;
    if (page.awakeSince > last.at) return;
    this.#break(
      'never early',
      `${life.title} ended at ${deadline}, and somebody was active in ${page.title} at ${last.at}`,
    );
  }

  // What must hold after every step.

  afterStep(): void {
    if (this.#pages.size === 0) return;
    const { sessionId } = this.desktop.jar;
    if (sessionId !== this.#cookie) {
      this.#cookie = sessionId;
      this.#cookieSince = this.#at;
    }
    for (const seen of this.#pages.values()) {
      if (seen.page.monitor.isHidden() !== (seen.coveredSince !== undefined || seen.endedAt !== undefined))
        this.#break('never late', `${seen.title} does not tell that its content is to be hidden`);
      if (!seen.isSeen || this.#isExempt(seen)) continue;
      this.#checkVisible(seen);
      this.#checkWarned(seen);
      this.#checkSpread(seen);
    }
  }

  /** Nothing has happened for long, everybody is signed out, and nothing stands in the way. */
  finish(): void {
    for (const seen of this.#pages.values())
      if (seen.shownSince !== undefined && !this.#isExempt(seen))
        this.#break('never late', `${seen.title} is still shown in the end`);
  }

  get #at(): number {
    return this.truth.at;
  }

  #break(promised: Parameters<Truth['break']>[0], what: string): void {
    this.truth.break(promised, what);
  }

  #isExempt({ owner, page }: SeenPage): boolean {
    return owner !== undefined && this.#exempt.has(owner) && page.monitor.phase() === 'inert';
  }

  #toldOf(seen: SeenPage | undefined): ToldTimes | undefined {
    return seen?.owner === undefined ? undefined : this.#told.get(seen.owner);
  }

  #isCalmSince(since: number): boolean {
    return this.#calm.hasLastedSince(since, this.#at) && !this.truth.troubledSince(since);
  }

  /** Network, server, clocks and cookie are what they were then. */
  #isUndisturbed(since: number): boolean {
    const others = Math.max(this.#stirredAt, this.#serverSince, this.#cookieSince);
    return others < since && this.#isCalmSince(since) && this.truth.clocks.living.length === 1;
  }

  /** Nothing excuses its end. */
  #isCertain(life: Life): boolean {
    return !life.murky && !life.doubtful && !life.reusesId && life.givenUpAt.size === 0 && life.moves === 0;
  }

  #lives(life: Life): boolean {
    const process = this.truth.clocks.living.find(({ number }) => number === life.process);
    const deadline = life.deadline(life.earliest);
    return process !== undefined && life.isCertain && this.#isCertain(life) && stamp(process) < deadline;
  }

  #lastActivityOf(owner: string | undefined): number {
    return this.#activities.findLast(({ seen }) => seen.owner === owner)?.at ?? -Infinity;
  }

  #lastMomentMs(told: ToldTimes): number {
    return Math.min(2 * LONGEST_DELAY_MS, told.periodMs / 2) + LONGEST_DELAY_MS / 2;
  }

  // Never late.

  /** What is over by all that was ever told may not be seen. */
  #checkVisible(seen: SeenPage): void {
    const told = this.#toldOf(seen);
    if (!told) return;
    if (Math.max(told.toldAt, seen.shownSince!) < seen.page.restoredAt)
      this.#break('never late', `${seen.title} shows again what it showed before it was cached`);
    const lateMs = this.#at - told.endsAt;
    if (lateMs > LONGEST_DELAY_MS + SLACK_MS + this.#clockErrorMs)
      this.#break(
        'never late',
        `${seen.title} shows its content ${lateMs} ms after the end of ${told.life.title}`,
      );
  }

  /** What one tab knows of an end, the others know too. */
  #checkSpread(seen: SeenPage): void {
    const overSince = seen.owner === undefined ? undefined : this.#overSince.get(seen.owner);
    if (overSince === undefined || !this.desktop.hasChannels || seen.page.awakeSince > overSince) return;
    // A page that was still beginning then had no channel to hear it by.
    if (this.#at > overSince + SPREADS_WITHIN_MS && seen.shownSince! < overSince)
      this.#break(
        'never late',
        `${seen.title} shows its content, and another page has known since ${overSince} that it is over`,
      );
  }

  // Never early.

  /** A page is left only on the server's word, and that is not given while the session lives. */
  #checkEnd(seen: SeenPage): void {
    const overSince = seen.owner === undefined ? undefined : this.#overSince.get(seen.owner);
    if (overSince === undefined || !this.#over)
      return this.#break('never early', `${seen.title} ended, and the server did not say so`);
    const { sentAt, sessionId, path } = this.#over;
    const life = this.#toldOf(seen)?.life;
    if (!life || path === 'end' || sessionId !== life.sessionId || this.#cookie !== sessionId) return;
    if (this.#cookieSince < sentAt && !this.truth.troubledSince(sentAt) && this.#lives(life))
      this.#break('never early', `${seen.title} ended, and ${life.title} goes on`);
  }

  /** A page is covered when it should have ended by what was told. */
  #checkCover(seen: SeenPage): void {
    const told = this.#toldOf(seen);
    if (!told || !this.#hasHeard(seen, told)) return;
    const earlyMs = told.heardEndsAt - this.#at;
    if (earlyMs > SLACK_MS)
      this.#break(
        'never early',
        `${seen.title} was covered ${earlyMs} ms before the end of ${told.life.title}`,
      );
  }

  /** It knows all that there is to be known in this browser, and nothing has disturbed it since. */
  #hasHeard(seen: SeenPage, told: ToldTimes): boolean {
    const before = told.heardAt - QUICK_MS;
    return (
      this.desktop.hasChannels &&
      told.heardAt < this.#at - SLACK_MS &&
      Math.max(seen.openedAt, seen.page.awakeSince) < before &&
      this.#isUndisturbed(before)
    );
  }

  // Dead stays dead.

  /** Content comes back only if the session lives; after the back/forward cache, if the server has said so since then. */
  #checkReturn(seen: SeenPage): void {
    const told = this.#toldOf(seen);
    if (!told) return;
    if (this.#exempt.has(seen.owner!)) return;
    if (told.endsAt < this.#at - LONGEST_DELAY_MS || told.toldAt < seen.page.restoredAt)
      this.#break('dead stays dead', `${seen.title} shows its content again, and nobody has asked`);
  }

  // Warned first.

  #checkWarned(seen: SeenPage): void {
    const told = this.#toldOf(seen);
    if (!told || seen.warnedSince !== undefined) return;
    const lateMs = this.#at - told.warnsAt;
    if (lateMs <= LONGEST_DELAY_MS + SLACK_MS + this.#clockErrorMs) return;
    const { awakeSince, visibleSince } = seen.page;
    if (Math.max(awakeSince, visibleSince, seen.openedAt) > told.warnsAt - LONGEST_DELAY_MS) return;
    if (this.#lastActivityOf(seen.owner) > this.#at - LONGEST_DELAY_MS) return;
    // Without channels a page knows nothing of what the others were told, and still waits for its own activity to arrive.
    const knownAt = this.desktop.hasChannels ? told.toldAt : seen.heardAt;
    if (this.#at > knownAt + QUICK_MS && this.#isCalmSince(knownAt - QUICK_MS))
      this.#break('warned first', `${seen.title} is not warned ${lateMs} ms after that was due`);
  }

  /** Activity during a warning calls it off: at once in all other tabs, and here when the server has answered. */
  #expectRelief(seen: SeenPage, staying: boolean): void {
    const { scheduler } = this.truth.world;
    const at = this.#at;
    const told = this.#toldOf(seen)!;
    if (at > told.endsAt - this.#lastMomentMs(told)) return;
    const hears = (other: SeenPage): boolean =>
      other !== seen && other.owner === seen.owner && other.page.isAwake && this.desktop.hasChannels;
    const others = staying ? [] : [...this.#pages.values()].filter(hears);
    const check = (which: readonly SeenPage[], what: string): void => {
      for (const { page, warnedSince, title } of which)
        if (page.alive && page.awakeSince <= at && warnedSince !== undefined && warnedSince <= at)
          this.#break(
            'warned first',
            `${title} still warns, and somebody was active in ${seen.title} at ${at}${what}`,
          );
    };
    scheduler.after(CALLED_OFF_WITHIN_MS, 'the oracle looks', () => check(others, ''));
    scheduler.after(LONGEST_DELAY_MS, 'the oracle looks', () => {
      if (this.#isUndisturbed(at) && this.#lives(told.life) && !told.isFinal)
        check([seen], ', and that is told');
    });
  }

  // Costs nothing, and invents nothing.

  /** What is told as activity was some, and what has ended is never extended. */
  #checkNews(seen: SeenPage, idleFor: number): void {
    if (seen.shownSince === undefined)
      this.#break('dead stays dead', `${seen.title} tells activity while it is covered`);
    const told = this.#toldOf(seen);
    const newest = this.#lastActivityOf(seen.owner);
    const claimed = this.#at - idleFor * 1000;
    if (told && claimed > newest + SLACK_MS + this.#clockErrorMs)
      this.#break('never late', `${seen.title} tells activity at ${claimed}, the last was at ${newest}`);
  }

  /** Nobody asks without a need: near the warning, during it, or because of doubt. */
  #checkNeed(seen: SeenPage, isNews: boolean): void {
    const told = this.#toldOf(seen);
    if (!told || seen.shownSince === undefined || isNews) return;
    const leadMs = Math.min(5000, told.warnAfterMs / 25);
    const earlyMs = told.heardWarnsAt - leadMs - this.#at;
    const isNewcomer = [...this.#pages.values()].some(
      ({ owner, openedAt }) => owner !== seen.owner || openedAt > this.#at - 3 * LONGEST_DELAY_MS,
    );
    if (earlyMs > SLACK_MS && !isNewcomer && this.#hasHeard(seen, told))
      this.#break('costs nothing', `${seen.title} asks ${earlyMs} ms before there is a need`);
  }

  #checkPace(seen: SeenPage): void {
    this.#requests = [...this.#requests.filter((at) => at > this.#at - 1000), this.#at];
    if (this.#requests.length > MOST_REQUESTS_A_SECOND * Math.max(1, this.#pages.size))
      this.#break(
        'costs nothing',
        `${seen.title} asks, and ${this.#requests.length} requests went out within a second`,
      );
  }

  get #clockErrorMs(): number {
    return this.#stirredAt > -Infinity ? CLOCK_TOLERANCE_MS : 0;
  }
}
