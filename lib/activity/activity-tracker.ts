import { defer, type Observable, of } from 'rxjs';
import type { Limits, Verdict } from '../policy/index.js';
import type { ActivityRecord, EndReason } from './activity-record.js';
import type { ActivitySignal } from './activity-signal.js';
import type { ActivityStore, FoundSession } from './activity-store.js';
import { ActivityWriter } from './activity-writer.js';
import { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Deadlines } from './deadlines.js';
import { diagnostics } from './diagnostics.js';
import { LocalDeadlines } from './local-deadlines.js';
import { type Revocation, Revocations } from './revocations.js';
import { Rotations } from './rotations.js';
import type { SessionBlobs } from './session-blobs.js';
import { SessionBeginnings, type SessionStart } from './session-beginnings.js';
import { type Remains, SessionEndings } from './session-endings.js';
import { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import { SessionSuccession } from './session-succession.js';
import { type News, SharedActivityStore } from './shared-activity-store.js';
import { SharedDeadlines } from './shared-deadlines.js';
import { StoreDebts } from './store-debts.js';
import { type Outage, StoreHealth } from './store-health.js';
import { type Leaving, type Tombstone, Tombstones } from './tombstones.js';
import type { Touch, WatchedSession, WatchedSessions } from './watched-sessions.js';
import { type Withdrawal, Withdrawals } from './withdrawals.js';

/** The group of handlers that removes the blobs of ended sessions, on whichever process can. */
const BLOBS_GROUP = 'session-security:blobs';
/** For how long requests may come with a session id of which another process has made another. */
const IN_FLIGHT_MS = 30_000;
/** How often a store that has failed is asked again for what it owes. */
const RETRY_MS = 1000;

/**
 * The heart: knows of every watched session when it was last active, and ends it exactly when its time is over. Here its
 * parts are put together; each of them knows those that were made before it, and none knows the tracker.
 *
 * The hot path ({@link verdict}, {@link touch}) is answered from memory and never waits. Activity is flushed to the
 * store in batches; a session that memory takes for expired is confirmed with the store before it is ended.
 */
export class ActivityTracker {
  readonly #shared: SharedActivityStore | undefined;
  readonly #tombstones: Tombstones;
  readonly #rotations: Rotations;
  readonly #revocations: Revocations;
  readonly #health: StoreHealth;
  readonly #announcements: Announcements;
  readonly #debts: StoreDebts;
  readonly #writer: ActivityWriter;
  readonly #finder: SessionFinder;
  readonly #beginnings: SessionBeginnings;
  readonly #succession: SessionSuccession;
  readonly #endings: SessionEndings;
  readonly #withdrawals: Withdrawals;
  readonly #deadlines: Deadlines;
  /** By session id, so that parallel requests of one session share the answer. */
  readonly #settling = new Map<string, Promise<EndReason | undefined>>();
  #recovering: Promise<void> | undefined;
  #recoveryFailed = false;
  #retryAt = -Infinity;
  #ticking: Promise<void> | undefined;
  #stopTicking: (() => void) | undefined;

  /** @param graceMs how long sessions that memory knows to be alive are served while a shared store fails */
  constructor(
    store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly blobs: SessionBlobs,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    flushIntervalMs: number,
    graceMs = 0,
  ) {
    const shared = store instanceof SharedActivityStore ? store : undefined;
    const memory = [watched, references, clock] as const;
    const tombstones = new Tombstones(watched, clock);
    const revocations = new Revocations();
    const rotations = new Rotations(watched, tombstones);
    const health = new StoreHealth(
      clock,
      graceMs,
      (sessionId) => shared?.partOf(references.ofSession(sessionId)) ?? 0,
    );
    const announcements = new Announcements(clock, shared !== undefined);
    const debts = new StoreDebts(store, ...memory, blobs, tombstones, announcements, health);
    const writer = new ActivityWriter(store, ...memory, announcements, health, flushIntervalMs);
    const finder = new SessionFinder(store, ...memory, tombstones, rotations, revocations, debts);
    const beginnings = new SessionBeginnings(store, ...memory, rotations, finder, announcements, debts);
    const begun = [rotations, finder, beginnings, announcements, debts] as const;
    const succession = new SessionSuccession(store, ...memory, tombstones, ...begun);
    const endings = new SessionEndings(store, ...memory, tombstones, ...begun);
    this.#deadlines = shared
      ? new SharedDeadlines(
          shared,
          ...memory,
          tombstones,
          rotations,
          finder,
          writer,
          announcements,
          debts,
          health,
        )
      : new LocalDeadlines(store, ...memory, tombstones, ...begun, endings);
    this.#shared = shared;
    this.#tombstones = tombstones;
    this.#rotations = rotations;
    this.#revocations = revocations;
    this.#health = health;
    this.#announcements = announcements;
    this.#debts = debts;
    this.#writer = writer;
    this.#finder = finder;
    this.#beginnings = beginnings;
    this.#succession = succession;
    this.#endings = endings;
    this.#withdrawals = new Withdrawals(shared, references, clock, tombstones, rotations, revocations);
  }

  /** Everything that happens to sessions, as it happens; hot. */
  get signals(): Observable<ActivitySignal> {
    return this.#announcements.signals;
  }

  /** Starts looking at deadlines, at the turn of each quarter of a second or as often as a shared store asks for. */
  async open(): Promise<void> {
    const tick = (): Promise<void> => this.tick();
    this.#stopTicking ??= this.#shared
      ? this.clock.every(this.#shared.pollIntervalMs, tick)
      : this.clock.everyQuarter(tick);
    await this.#shared?.open().catch((error: unknown) => this.#health.lost(error));
  }

  /** Stops, after what is under way has finished and all activity is written, as far as the store lets it. */
  async close(): Promise<void> {
    this.#stopTicking?.();
    await this.#ticking;
    await this.#shared?.close();
    await this.#writer.flushed();
    await this.#flush();
    this.#announcements.signals.complete();
  }

  /**
   * Takes up the sessions that lived when the process last stopped, so that those whose browsers never come back are
   * ended and told of too. Tried again every second until the store has answered once.
   */
  recover(): void {
    // Now blobs can be removed. Until some process can, their removal waits in a shared store.
    this.#shared?.deliver(BLOBS_GROUP, (news) => this.#removeBlobOf(news), ['end', 'moved']);
    this.#recovering ??= this.#finder.recover(this.#beginnings.sessionIds()).catch((error: unknown) => {
      this.#health.failed('recover', error);
      this.#recovering = undefined;
      this.#recoveryFailed = true;
    });
  }

  /** When the recovery that is under way, if any, has ended. */
  async recovered(): Promise<void> {
    await this.#recovering;
  }

  /**
   * The session as far as it is known here or in the store; `undefined` if there is no record of it.
   * Rejects when the store fails: then nothing is known, and nobody may be let in or ended on a guess.
   */
  async locate(sessionId: string): Promise<WatchedSession | undefined> {
    // What begins here has been stored already, perhaps, but is not told yet; after one that failed another may begin.
    while (this.#beginnings.has(sessionId)) await this.#beginnings.over(sessionId);
    const known = this.watched.get(sessionId);
    if (known || this.#tombstones.has(sessionId) || this.#endings.has(sessionId)) return known;
    return this.#finder.find(sessionId);
  }

  /**
   * As {@link locate}, for when memory and the session's data speak of different lives: on another process somebody may
   * have signed in under this id since.
   */
  async relocate(sessionId: string): Promise<WatchedSession | undefined> {
    if (this.#shared) this.watched.remove(sessionId);
    return this.locate(sessionId);
  }

  /** The session by memory alone. */
  recall(sessionId: string): WatchedSession | undefined {
    return this.watched.get(sessionId);
  }

  /** The number of the session's life, by memory alone. */
  lifeOf(sessionId: string): number | undefined {
    return this.watched.lifeOf(sessionId);
  }

  /**
   * The session as it is to be told of. Memory that takes it for idle may only not have heard of activity on another
   * process; what the store says is not remembered, because it allows for more than there was.
   */
  async latest(sessionId: string): Promise<WatchedSession | undefined> {
    const known = this.watched.get(sessionId);
    if (!this.#shared || !known || this.verdict(sessionId)?.phase === 'active') return known;
    const stored = await this.#shared.find(this.references.ofSession(sessionId)).catch(() => undefined);
    if (stored?.life !== known.life) return known;
    return { ...known, lastActivityAt: Math.max(known.lastActivityAt, stored.lastActivityAt) };
  }

  /** Where the session stands, by memory. `active` and `warning` are certain, `expired` is to be confirmed. */
  verdict(sessionId: string): Verdict | undefined {
    return this.watched.verdict(sessionId, this.clock.now());
  }

  /** Certain to be alive, by memory alone: the hot path of every read of a session. */
  lives(sessionId: string): boolean {
    return !this.#tombstones.has(sessionId) && this.watched.lives(sessionId, this.clock.now());
  }

  /** Buried, and not only under this id: whatever of it is still remembered is being removed. */
  isDead(sessionId: string): boolean {
    return this.#tombstones.has(sessionId) && !this.#rotations.living(sessionId);
  }

  /** Certain to go on with this life, by memory alone; also under an id that is just being given up for another. */
  goesOn(sessionId: string, life: number): boolean {
    return !this.isDead(sessionId) && this.watched.lives(sessionId, this.clock.now(), life);
  }

  /** Ends the sessions of one user too that this process finds only later. */
  revoke(userId: string, revocation: Revocation): void {
    this.#revocations.add(userId, revocation);
  }

  /** As {@link revoke}, for later processes, where the store may hold sessions that nobody knows. Never rejects. */
  keepRevocation(userId: string, revocation: Revocation): Promise<void> {
    return this.#debts.keepRevocation(userId, revocation);
  }

  /** The sessions of one user that just begin: they are stored, or are about to be, and not watched yet. */
  beginningOf(userId: string): Required<FoundSession>[] {
    return this.#beginnings.ofUser(userId);
  }

  /** When what begins under this id, if anything, has begun or failed to. Never rejects. */
  begun(sessionId: string): Promise<void> | undefined {
    return this.#beginnings.over(sessionId);
  }

  /** Is there anything of this session that could be ended: a life here, one that begins, or one under a new id? */
  isInUse(sessionId: string): boolean {
    return this.#unheardOf(sessionId) !== undefined || this.#endings.isInUse(sessionId);
  }

  /** Why a session ended, if it did within the last hour. */
  tombstone(sessionId: string): Tombstone | undefined {
    return this.#tombstones.find(sessionId);
  }

  /** As {@link tombstone}, also of sessions that ended on other processes; `undefined` too if the store fails. */
  findTombstone(sessionId: string): Promise<Tombstone | undefined> {
    return this.#finder.findTombstone(sessionId);
  }

  /** Whether other processes may start and end sessions too. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  /** The last time that a session ended and left its id in use: what was read before that is out of date. */
  leavingOf(sessionId: string): Leaving | undefined {
    return this.#tombstones.leavingOf(sessionId);
  }

  /** How many sessions have ended and left their ids in use. */
  get leavingCount(): number {
    return this.#tombstones.leavingCount;
  }

  /** Has a session ended and left this id in use since so many had? */
  hasLeftSince(sessionId: string, leavingCount: number): boolean {
    return (this.leavingOf(sessionId)?.number ?? 0) > leavingCount;
  }

  /** Since when a shared store has been failing, in epoch milliseconds, and how; `undefined` while it answers. */
  get outage(): Outage | undefined {
    return this.#health.outage;
  }

  /** Since when parts of a shared store have been failing while it answers. */
  get partialOutages(): readonly Outage[] {
    return this.#health.partialOutages;
  }

  /** Since when a shared store has been failing as far as it concerns a session. */
  outageOf(sessionId: string): Outage | undefined {
    return this.#health.outageOf(sessionId);
  }

  /**
   * Makes sure that memory of a session may still be believed: a shared store that has failed for longer than the grace
   * period may hold an end of which nothing has been heard here.
   *
   * @throws {StoreFailure} if not.
   */
  requireTrust(sessionId: string): void {
    this.#health.requireTrust(sessionId);
  }

  /** How a session ended, wherever it went when its id was given up; `undefined` while it goes on there, or is to. */
  fateOf(sessionId: string): Tombstone | undefined {
    return this.#rotations.fateOf(sessionId);
  }

  /**
   * Has another process just given the session another id, under which it lives? No one who signs in again has to wait for
   * that for long: the answer with the new id may have been lost. Where the store fails, it has not.
   */
  async goesOnElsewhere(sessionId: string): Promise<boolean> {
    const reason = this.#tombstones.find(sessionId)?.reason ?? 'replaced';
    if (!this.#shared || reason !== 'replaced') return false;
    const since = this.clock.now() - IN_FLIGHT_MS;
    return this.#shared.goesOn(this.references.ofSession(sessionId), since).catch(() => false);
  }

  /**
   * The sign-out or the application that has ended this life of a session id, under whichever id it went on, by memory
   * alone; `undefined` if it lives, or has ended by the passing of time or by another sign-in.
   */
  withdrawal(sessionId: string, life: number): Withdrawal | undefined {
    return this.#withdrawals.of(sessionId, life);
  }

  /** As {@link withdrawal}, also on other processes. Where the store cannot tell, it is taken for ended. */
  findWithdrawal(sessionId: string, life: number): Promise<Withdrawal | undefined> {
    return this.#withdrawals.find(sessionId, life);
  }

  /** Says that a session is dead before its end is worked off: from now on nothing may write it. */
  bury(sessionId: string, reason: EndReason | null): void {
    this.#tombstones.bury(sessionId, reason);
  }

  /**
   * A session's data carry the marker of a life of which there is no record: dead. What a shared store knows to be over is
   * not ended once more, because the session may go on under an id that another process has given it.
   */
  async buryLost(sessionId: string): Promise<void> {
    const isOver = (await this.findTombstone(sessionId)) !== undefined && this.isShared;
    this.bury(sessionId, null);
    if (isOver) await this.removeBlob(sessionId);
    else await this.end(sessionId, 'revoked');
  }

  /**
   * Watches a session from now on. If somebody else was watched under this id, their session has been replaced; if it is
   * watched for this user already, by a parallel request, it stays as it is.
   */
  async start(sessionId: string, start: SessionStart): Promise<ActivityRecord> {
    const { record, replaced } = await this.#beginnings.begin(sessionId, start);
    if (replaced) await this.#endings.endSiblings(sessionId);
    return record;
  }

  /**
   * A request gives a session's id up for another. Nothing may read or write the session under the old id any more, but
   * it can still expire or be ended there until {@link carry} has taken it over.
   */
  rotate(sessionId: string): void {
    this.#rotations.rotate(sessionId, this.#unheardOf(sessionId));
  }

  /**
   * Goes on with a session under its new id: its life, its sign-in and its last activity stay what they were. When
   * parallel requests gave the same id up, it goes on under each of their new ids, and a sign-out ends them all; but where
   * a store is shared, under the one that this store is told of first, on whichever process.
   *
   * @returns whether it goes on; not if it has ended meanwhile.
   */
  carry(from: string, to: string): Promise<boolean> {
    return this.#succession.carry(from, to);
  }

  /** Has the session under this id been given another, or is it just being given it? */
  isCarried(sessionId: string): boolean {
    return this.#rotations.successorsOf(sessionId).length > 0;
  }

  /** When it has been given, or could not be. Never rejects. */
  async carried(sessionId: string): Promise<void> {
    await Promise.all(this.#rotations.successorsOf(sessionId).map(async (other) => this.begun(other)));
  }

  /** The id under which a session goes on whose id was given up, if it lives. */
  successorOf(sessionId: string): string | undefined {
    return this.#rotations.successorOf(sessionId);
  }

  /** The user of a session has proved again who they are: both clocks start anew (NIST SP 800-63B-4). */
  async restart(sessionId: string): Promise<void> {
    const now = this.clock.now();
    if (this.watched.restart(sessionId, now)) this.#tellRenewal(sessionId, now);
    await this.#debts.adjust(sessionId);
  }

  /**
   * Counts activity that happened `idleForMs` ago. Never moves back or into the future, never revives. Where a store is
   * shared, overdue activity must be given to {@link write} before it is acted on: were this process to die now, the
   * store would end the session too early.
   */
  touch(sessionId: string, idleForMs = 0): Touch {
    const now = this.clock.now();
    // A whole millisecond, and a late one: a session is never ended early.
    const touch = this.watched.touch(sessionId, Math.ceil(now - idleForMs), now, this.#writer.overdueAfterMs);
    if (diagnostics.touch.hasSubscribers) {
      const { moved, renewed } = touch;
      diagnostics.touch.publish({ moved, renewed });
    }
    if (touch.renewed) this.#tellRenewal(sessionId, now);
    if (touch.overdue && !this.#shared) this.#writer.writeUnawaited(sessionId);
    return touch;
  }

  /**
   * Writes overdue activity to a shared store. While it fails, activity stays in memory for as long as memory may be
   * believed.
   *
   * @returns whether the session lives; not if another process has ended it.
   * @throws {StoreFailure} if that cannot be told.
   */
  async write(sessionId: string): Promise<boolean> {
    if (this.outage === undefined)
      await this.#writer.write(sessionId).catch((error: unknown) => this.#health.lost(error));
    this.requireTrust(sessionId);
    if (this.watched.has(sessionId)) return true;
    await this.findTombstone(sessionId);
    this.bury(sessionId, null);
    return false;
  }

  /** Puts other limits in force for a session; a shortening takes effect at once. */
  async setLimits(sessionId: string, limits: Limits): Promise<void> {
    const now = this.clock.now();
    const { changed, renewed } = this.watched.setLimits(sessionId, limits, now);
    if (renewed) this.#tellRenewal(sessionId, now);
    if (changed) await this.#debts.adjust(sessionId);
  }

  /**
   * Asks the store about a session that memory takes for expired, and ends it if it is so.
   *
   * @returns the reason if the session has ended, `undefined` if it lives after all. Rejects when the store fails.
   */
  settle(sessionId: string): Promise<EndReason | undefined> {
    let settling = this.#settling.get(sessionId);
    if (!settling) {
      settling = this.#deadlines.settle(sessionId).finally(() => this.#settling.delete(sessionId));
      this.#settling.set(sessionId, settling);
    }
    return settling;
  }

  /**
   * Ends a session: buried first, then its record and its blob are removed. Told once, whoever calls how often. A session
   * whose id was given up for another ends under the new one.
   * What a failing store does not remove now is removed later; the session is dead from this call on all the same.
   *
   * @returns the record, to the one caller that ended it.
   */
  end(sessionId: string, reason: EndReason, remains?: Remains): Promise<ActivityRecord | undefined> {
    return this.#endings.end(sessionId, reason, remains);
  }

  /** Removes a session's blob behind the gate, now or, if the store fails, as soon as it is back. Never rejects. */
  removeBlob(sessionId: string): Promise<void> {
    return this.#debts.removeBlob(sessionId);
  }

  /** Ends a session that the store found, whether or not this process knows its own id; answers whether it did. */
  endFound(found: FoundSession, reason: EndReason): Promise<boolean> {
    return this.#endings.endFound(found, reason);
  }

  /** Emits why a session ended when it does, and completes; at once if it is not watched any more. */
  ended(sessionId: string): Observable<EndReason | null> {
    return defer(() => {
      const living = this.#rotations.livingIdOf(sessionId);
      if (living === undefined) return of(this.#tombstones.find(sessionId)?.reason ?? null);
      return this.#announcements.endOf(this.references.ofSession(living));
    });
  }

  /** The cookie of an ended session was presented; told once for each session (OWASP: session_use_after_expire). */
  presentedAfterEnd(sessionId: string): void {
    const tombstone = this.#tombstones.find(sessionId);
    if (!tombstone || tombstone.presented || tombstone.reason === null) return;
    tombstone.presented = true;
    const { reason, userId } = tombstone;
    const id = this.references.ofSession(sessionId);
    const user = userId === undefined ? {} : { userId };
    this.#announcements.signals.next({ kind: 'use-after-end', id, reason, at: this.clock.now(), ...user });
  }

  /**
   * What is due by now: deadlines, what a failing store still owes, never two at a time; and the flush, which no deadline
   * waits for.
   */
  async tick(): Promise<void> {
    this.#ticking ??= this.#tick()
      .catch((error: unknown) => this.#health.failed('tick', error))
      .finally(() => (this.#ticking = undefined));
    await this.#ticking;
    if (this.#writer.isFlushDue) await this.#flush();
  }

  /** Writes all activity that is not written yet, in slices. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** A session that has just been found gone: perhaps under an id that another process has given it, not heard of yet. */
  #unheardOf(sessionId: string): WatchedSession | undefined {
    const { gone } = this.#writer;
    return gone.size > 0 ? gone.get(this.references.ofSession(sessionId))?.session : undefined;
  }

  /** A warning has been called off. */
  #tellRenewal(sessionId: string, now: number): void {
    const record = { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! };
    this.#announcements.tell({ kind: 'renew', record, at: now });
  }

  async #flush(): Promise<void> {
    await this.flush().catch((error: unknown) => this.#health.failed('flush', error));
  }

  async #tick(): Promise<void> {
    const now = this.clock.now();
    this.#tombstones.sweep(now);
    this.#revocations.sweep(now);
    await this.#deadlines.work(now);
    if (now < this.#retryAt) return;
    this.#retryAt = now + RETRY_MS;
    if (this.#recoveryFailed) {
      this.#recoveryFailed = false;
      this.recover();
    }
    await this.#debts.pay();
  }

  /** Removes the blob of a session that has ended anywhere; rejects if the session store fails, to be called again. */
  async #removeBlobOf({ sessionId, keepsBlob }: News): Promise<void> {
    if (sessionId !== undefined && !keepsBlob) await this.blobs.destroy(sessionId);
  }
}
