import type { Reply } from '../../../../client/core/answer.js';
import type { SessionStatus } from '../../../../lib/http/ping-answer.js';
import type { Desktop, PageRequest } from '../../world/browser/desktop.js';
import type { Page } from '../../world/browser/page.js';
import type { Life } from '../life.js';
import { stamp, type Truth } from '../truth.js';
import { Calm, QUICK_MS } from './calm.js';
import { SeenPage } from './seen-page.js';
import { ToldTimes } from './told-times.js';

/** A page may be late by as much as the network, but by no more than this. */
export const LONGEST_DELAY_MS = 1000;
/** Timers cut fractions off, and messages between tabs take their time. */
export const SLACK_MS = 60;
/** Two clocks that are this close are taken for the same; a page that has seen them part may be wrong by so much. */
const CLOCK_TOLERANCE_MS = 500;

interface Activity {
  readonly at: number;
  readonly seen: SeenPage;
}

/** What is truly known of the pages of one browser: what all parts of the tabs' oracle share. */
export class TabHistory {
  readonly pages = new Map<Page, SeenPage>();
  /** By owner. */
  readonly told = new Map<string, ToldTimes>();
  readonly activities: Activity[] = [];
  /** By owner: when a page first heard that there is nothing to watch any more. */
  readonly overSince = new Map<string, number>();
  /** Owners of whom a page has heard that they are never timed out: what has stopped watching for them watches no more. */
  readonly exempt = new Set<string>();
  /** The last reply that said of the present session that it is over. */
  over: PageRequest | undefined;
  cookieSince = 0;
  cookie: string | undefined;
  /** By owner: when the last page of theirs went away. */
  readonly #leftAt = new Map<string, number>();
  readonly #calm = new Calm();
  #stirredAt = -Infinity;
  /** Since when server and limits are what they are. */
  #serverSince = 0;

  constructor(
    readonly truth: Truth,
    readonly desktop: Desktop,
  ) {}

  get at(): number {
    return this.truth.at;
  }

  // What is seen.

  opened(page: Page): void {
    this.pages.set(page, new SeenPage(page, this.at));
  }

  gone(page: Page): void {
    const owner = this.pages.get(page)?.owner;
    if (owner !== undefined) this.#leftAt.set(owner, this.at);
    this.pages.delete(page);
    this.#calm.gone(page, this.at);
  }

  stirred(): void {
    this.#stirredAt = this.at;
  }

  serverChanged(): void {
    this.#serverSince = this.at;
  }

  asked(request: PageRequest): void {
    this.#calm.asked(request);
  }

  heard(request: PageRequest, reply: Reply | undefined): void {
    const isGood = this.#calm.heard(request, reply, this.at);
    const seen = this.pages.get(request.page);
    if (seen && !isGood) seen.failedAt = this.at;
    // What was asked for before a page was cached is not believed by it afterwards.
    if (!seen || !reply || request.sentAt < request.page.restoredAt) return;
    const status = (reply.body ?? {}) as SessionStatus;
    const { owner, state } = status;
    if (owner && status.limits) {
      this.told.get(owner)?.hear(status, request.sentAt, this.at);
      seen.heardAt = this.at;
    }
    if (state === 'exempt' && owner) this.exempt.add(owner);
    if (reply.status === 200 && owner) {
      seen.owner ??= owner;
      if (owner === seen.owner) return;
    } else if (reply.status === 200 && state !== 'expired' && state !== 'anonymous') return;
    else if (![200, 401, 403, 410].includes(reply.status)) return;
    this.over = request;
    if (seen.owner !== undefined && !this.overSince.has(seen.owner)) this.overSince.set(seen.owner, this.at);
  }

  pinged(status: SessionStatus, life: Life): void {
    if (!status.owner || status.expireIn === null) return;
    const told = this.told.get(status.owner) ?? new ToldTimes(life);
    this.told.set(status.owner, told);
    told.add(status, this.at);
  }

  cookieSeen(): void {
    const { sessionId } = this.desktop.jar;
    if (sessionId === this.cookie) return;
    this.cookie = sessionId;
    this.cookieSince = this.at;
  }

  // What follows from it.

  break(promised: Parameters<Truth['break']>[0], what: string): void {
    this.truth.break(promised, what);
  }

  isExempt({ owner, page }: SeenPage): boolean {
    return owner !== undefined && this.exempt.has(owner) && page.monitor.phase() === 'inert';
  }

  toldOf(seen: SeenPage | undefined): ToldTimes | undefined {
    return seen?.owner === undefined ? undefined : this.told.get(seen.owner);
  }

  isCalmSince(since: number): boolean {
    return this.#calm.hasLastedSince(since, this.at) && !this.truth.troubledSince(since);
  }

  /** Network, server, clocks and cookie are what they were then. */
  isUndisturbed(since: number): boolean {
    const others = Math.max(this.#stirredAt, this.#serverSince, this.cookieSince);
    return others < since && this.isCalmSince(since) && this.truth.clocks.living.length === 1;
  }

  /** Server, its clock and limits are those that told these times. */
  isToldByPresent(told: ToldTimes): boolean {
    return this.#serverSince < told.toldAt;
  }

  /** Nothing excuses its end. */
  isCertain(life: Life): boolean {
    return !life.murky && !life.doubtful && !life.reusesId && life.givenUpAt.size === 0 && life.moves === 0;
  }

  lives(life: Life): boolean {
    const process = this.truth.clocks.living.find(({ number }) => number === life.process);
    const deadline = life.soonestDeadline();
    return process !== undefined && life.isCertain && this.isCertain(life) && stamp(process) < deadline;
  }

  lastActivityOf(owner: string | undefined): number {
    return this.activities.findLast(({ seen }) => seen.owner === owner)?.at ?? -Infinity;
  }

  /** A page of somebody else, or one that has just been opened, has made this one doubt whose session it is. */
  hasDoubts(seen: SeenPage): boolean {
    const since = this.at - 3 * LONGEST_DELAY_MS;
    return (
      [...this.pages.values()].some(({ owner, openedAt }) => owner !== seen.owner || openedAt > since) ||
      [...this.#leftAt].some(([owner, leftAt]) => owner !== seen.owner && leftAt > since)
    );
  }

  lastMomentMs(told: ToldTimes): number {
    return Math.min(2 * LONGEST_DELAY_MS, told.periodMs / 2) + LONGEST_DELAY_MS / 2;
  }

  /** It knows all that there is to be known in this browser, and nothing has disturbed it since. */
  hasHeard(seen: SeenPage, told: ToldTimes): boolean {
    const before = told.heardAt - QUICK_MS;
    return (
      this.desktop.hasChannels &&
      told.heardAt < this.at - SLACK_MS &&
      Math.max(seen.openedAt, seen.page.awakeSince) < before &&
      this.isUndisturbed(before)
    );
  }

  get clockErrorMs(): number {
    return this.#stirredAt > -Infinity ? CLOCK_TOLERANCE_MS : 0;
  }
}
