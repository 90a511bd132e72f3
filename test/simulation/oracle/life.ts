import type { EndReason, Limits } from '../../../lib/index.js';

/** A way out of a life that somebody took. Instants of the world's time. */
export interface Claim {
  readonly reasons: readonly EndReason[];
  /** From then on nobody may be served; `Infinity` while it is still being worked off. */
  bindsFrom: number;
  /** From then on it must be told soon. */
  dueFrom: number;
  /** The session id stays in use for whoever comes. */
  readonly keepsId?: boolean;
}

/** A moment at which a person showed to be there: by the world's time, and as the process's clock had it. */
interface Activity {
  readonly at: number;
  readonly stamp: number;
}

const KEPT_ACTIVITIES = 50;

/**
 * One sign-in and what truly became of it: the oracle's own little model, which shares no code with the engine. Stamps
 * are instants of the watching process's clock, in milliseconds.
 *
 * As long as its process lives and the store answers, the last activity is known exactly: `earliest` and `latest` are
 * the same. A crash may lose some of it, and the engine then gives some time on top, so they part.
 */
export class Life {
  state: 'beginning' | 'alive' | 'over' = 'beginning';
  /** The number that those share whom parallel rotations made of one session. */
  family: number;
  startedAt = NaN;
  /** The same, if a process that took over with its clock behind may have found the start in the future: at the latest. */
  startedBy = NaN;
  earliest = -Infinity;
  latest = -Infinity;
  /** The same without what a process that has taken over allows for. */
  latestSeen = -Infinity;
  claims: Claim[] = [];
  /** When it gave up session ids for others, by the world's time. */
  readonly givenUpAt = new Map<string, number>();
  /** Its session id is being changed, by so many visits. */
  moves = 0;
  /** It may have come to an end without a fault: something that it needed was lost. Cleared when it is seen alive. */
  doubtful = false;
  /**
   * The store failed while its id changed, while it began or ended, so that there may be two records of it or none, and
   * what its next process finds is anybody's guess. Only little is promised for such a life.
   */
  murky = false;
  /** Its end leaves the session to an anonymous visitor, so that there may be one under its id for ever. */
  leavesSession = false;
  /** The store was failing while its end was worked off, or when that was told. */
  endedInTrouble = false;
  /** From this instant of the world on, a browser's cookie leads to it. */
  visibleSince = Infinity;
  /** Since when, by its process's clock, its deadlines could be foreseen: it was loaded, or time or limits jumped. */
  foreseenSince = -Infinity;
  /** In which process the present idle period was warned of… */
  warnedIn: number | undefined;
  /** …and by which of its names. */
  warnedAs: string | undefined;
  /** Activity that called a warning off, in this step: as it was told, and as it must be. */
  renewals = 0;
  renewalsDue = 0;
  /** Before this step, its last activity was known exactly. */
  wasExact = false;
  /** Who wrote the record that another process is to take over, until that one writes its own. */
  formerWriter: string | undefined;
  /** World time since which its deadline has passed. */
  overdueSince: number | undefined;
  overAt: number | undefined;
  endReason: EndReason | undefined;
  /** Processes that told its end. */
  readonly toldIn = new Set<number>();
  #activities: Activity[] = [];

  constructor(
    readonly number: number,
    readonly user: string,
    /** The session id under which it goes on. */
    public sessionId: string,
    /** The session id was in use before, so requests of then may overwrite the session with what they remember. */
    readonly reusesId: boolean,
    public limits: Limits,
    /** The process that watches it. */
    public process: number,
    readonly beganAt: number,
  ) {
    this.family = number;
  }

  /** Nothing has happened that would excuse its end. */
  get isCertain(): boolean {
    return this.state === 'alive' && this.claims.length === 0 && this.moves === 0 && !this.doubtful;
  }

  /** When it ends by itself: at the earliest if this was the last activity… */
  soonestDeadline(lastActivity = this.earliest): number {
    return this.#deadline(lastActivity, this.startedAt);
  }

  /** …and at the latest if it was this. */
  latestDeadline(lastActivity = this.latest): number {
    return this.#deadline(lastActivity, this.startedBy);
  }

  /** When its user is to be warned: at the earliest… */
  get soonestWarning(): number {
    return this.#warning(this.soonestDeadline());
  }

  /** …and at the latest. */
  get latestWarning(): number {
    return this.#warning(this.latestDeadline());
  }

  /** All that its deadlines come from is known exactly. */
  get isExact(): boolean {
    return this.earliest === this.latest && this.startedAt === this.startedBy;
  }

  #deadline(lastActivity: number, startedAt: number): number {
    const { expireAfter, maxLifetime } = this.limits;
    const lifetimeEnd = maxLifetime == null ? Infinity : startedAt + maxLifetime * 1000;
    return Math.min(lastActivity + expireAfter * 1000, lifetimeEnd);
  }

  #warning(deadline: number): number {
    const { warnAfter, expireAfter } = this.limits;
    return deadline === Infinity ? Infinity : deadline - (expireAfter - warnAfter) * 1000;
  }

  /** It is told, or stored, that it started then. */
  started(at: number): void {
    this.startedAt = this.startedBy = at;
  }

  /** It may be that it started then. */
  mayHaveStarted(at: number): boolean {
    return this.startedAt <= at && at <= this.startedBy;
  }

  /** Somebody was there. */
  active(stamp: number, at: number): void {
    this.earliest = Math.max(this.earliest, stamp);
    this.maybeActive(stamp);
    this.#activities.push({ at, stamp });
    if (this.#activities.length > KEPT_ACTIVITIES) this.#activities.shift();
  }

  /** Somebody may have been there. */
  maybeActive(stamp: number): void {
    this.latest = Math.max(this.latest, stamp);
    this.latestSeen = Math.max(this.latestSeen, stamp);
  }

  /** Of the activity since an instant of the world only that survives which the store knows. */
  forgetSince(at: number, inStore: number): void {
    this.#activities = this.#activities.filter((activity) => activity.at <= at || activity.stamp <= inStore);
  }

  /** The latest activity that has not been forgotten. */
  get latestKnown(): number {
    return Math.max(-Infinity, ...this.#activities.map(({ stamp }) => stamp));
  }

  /**
   * The latest instant that a process may take for the last activity. One that has taken over gives the time on top in
   * which the process before may have seen activity that it did not write, but it never believes in the future. However
   * many have taken over, what they give does not add up.
   */
  latestFor(process: number, now: number, graceMs: number): number {
    if (process === this.process) return this.latest;
    return this.latestSeen > now ? now : this.latestSeen + graceMs;
  }

  /** A process begins whose clock shows `now`: what lies in the future is taken as the instant at which it is found. */
  mayBeFoundFrom(now: number): void {
    this.earliest = Math.min(this.earliest, now);
    this.startedAt = Math.min(this.startedAt, now);
  }

  /** Another process takes over what the store knows. */
  adoptedBy(process: number, now: number, graceMs: number): void {
    if (process === this.process) return;
    this.latest = this.latestFor(process, now, graceMs);
    this.startedBy = Math.min(this.startedBy, now);
    this.process = process;
    this.foreseenSince = now;
    this.warnedIn = undefined;
    this.overdueSince = undefined;
  }

  /** The process that has taken over has written what it knows. */
  writtenBy(writer: string, lastActivityAt: number, graceMs: number): void {
    if (writer === this.formerWriter) return;
    this.formerWriter = undefined;
    this.latestSeen = Math.min(this.latestSeen, Math.max(this.earliest, lastActivityAt));
    this.latest = Math.min(this.latest, this.latestSeen + graceMs);
  }

  /** Goes on where another is, and nobody knows which of the two is left. */
  resume(other: Life): void {
    const { state, startedAt, startedBy, earliest, latest, latestSeen, limits, family, formerWriter } = other;
    Object.assign(this, {
      state,
      startedAt,
      startedBy,
      earliest,
      latest,
      latestSeen,
      limits,
      family,
      formerWriter,
      doubtful: true,
      murky: true,
    });
  }

  /** An end that the store did not carry out is no end to the next process. */
  comeBack(lastActivityAt: number): void {
    this.state = 'alive';
    this.doubtful = this.murky = true;
    this.earliest = Math.min(this.earliest, lastActivityAt);
    this.claims = [];
  }

  end(at: number, reason?: EndReason): void {
    this.state = 'over';
    this.overAt = at;
    this.endReason = reason;
  }

  get title(): string {
    return `life ${this.number} (${this.user}, ${this.sessionId})`;
  }
}
