import { Logger } from '@nestjs/common';
import { defer, type Observable, of, Subject } from 'rxjs';
import type { Limits, Verdict } from '../policy/index.js';
import { judge } from '../policy/index.js';
import type { ActivityRecord, EndReason } from './activity-record.js';
import type { ActivitySignal } from './activity-signal.js';
import {
  type ActivityStore,
  CorruptRecordError,
  type DueRecord,
  type FoundSession,
} from './activity-store.js';
import type { Clock } from './clock.js';
import { diagnostics } from './diagnostics.js';
import type { SessionBlobs } from './session-blobs.js';
import type { SessionReferences } from './session-reference.js';
import { type EndMode, type News, SharedActivityStore } from './shared-activity-store.js';
import { StoreFailure } from './store-calls.js';
import { type Rotation, type Tombstone, Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

const TICK_MS = 1000;
/** The group of handlers that removes the blobs of ended sessions, on whichever process can. */
const BLOBS_GROUP = 'session-security:blobs';
/** Sessions settled between two turns of the event loop… */
const SLICE = 200;
/** …where a shared store settles them, which costs this process less… */
const SHARED_SLICE = 500;
/** …and sessions whose activity is written together. */
const FLUSH_SLICE = 500;
/** What a failing store still owes, tried again per tick. */
const RETRIES_PER_TICK = 100;
/** Recovered sessions taken up between two turns of the event loop. */
const RECOVERY_SLICE = 5000;

/** What the tracker is to watch. */
export interface SessionStart {
  readonly userId?: string | undefined;
  readonly limits: Limits;
  readonly device?: string | undefined;
}

/** What the store refused to do for a session, to be tried again. */
interface Debt {
  /** Its record is to be ended, for this reason… */
  readonly end?: EndReason;
  /** …which has not been told yet, because nothing was known of the session but its id. */
  readonly untold?: boolean;
  /** Its blob is to be removed. */
  readonly blob?: boolean;
  /** Its limits and clocks are to be written. */
  readonly adjust?: boolean;
}

/** A look-up of a record. */
interface Search {
  readonly found: Promise<WatchedSession | undefined>;
  /** The session has ended here while the store was asked. */
  isVain: boolean;
}

/** An end that is being worked off. */
interface EndUnderWay {
  readonly done: Promise<ActivityRecord | undefined>;
  readonly keepBlob: boolean;
}

/**
 * The heart: knows of every watched session when it was last active, and ends it exactly when its time is over.
 *
 * The hot path ({@link verdict}, {@link touch}) is answered from memory and never waits. Activity is flushed to the
 * store in batches; a session that memory takes for expired is confirmed with the store before it is ended.
 */
export class ActivityTracker {
  /** Everything that happens to sessions, as it happens; hot. */
  readonly signals = new Subject<ActivitySignal>();
  readonly #logger = new Logger('SessionSecurity');
  readonly #tombstones = new Tombstones();
  /** What is under way, by session id, so that parallel requests of one session share it. */
  readonly #searches = new Map<string, Search>();
  readonly #settling = new Map<string, Promise<EndReason | undefined>>();
  readonly #starting = new Map<string, Promise<void>>();
  readonly #endsUnderWay = new Map<string, EndUnderWay>();
  readonly #debts = new Map<string, Debt>();
  /** Ids that parallel requests gave the same session, each with all of them. */
  readonly #siblings = new Map<string, readonly string[]>();
  /** Who waits for the end of a session, by record id. */
  readonly #endings = new Map<string, Subject<EndReason>>();
  /** Records that began, ended or were found by their cookie while all are being recovered: the listing lags behind. */
  #handledMeanwhile: Set<string> | undefined;
  #recovering: Promise<void> | undefined;
  #recoveryFailed = false;
  #storeFailing = false;
  readonly #shared: SharedActivityStore | undefined;
  /** Since when a shared store has failed, on the engine's clock, and how. */
  #outage: { readonly since: number; readonly message: string } | undefined;
  /** Activity that a shared store must know before it counts, written together. */
  #writing: { readonly sessionIds: Set<string>; readonly done: Promise<void> } | undefined;
  /** Writes that no request waits for, but a flush does, and with it the end of the process. */
  readonly #unawaited = new Set<Promise<void>>();
  #flushedAt: number;
  #life = 0;
  #ticking?: Promise<void> | undefined;
  #flushing?: Promise<void> | undefined;
  #stopTicking?: () => void;
  #corruptReported = false;

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly blobs: SessionBlobs,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly flushIntervalMs: number,
    /** How long sessions that memory knows to be alive are served while a shared store fails. */
    private readonly graceMs = 0,
  ) {
    this.#flushedAt = clock.now();
    this.#shared = store instanceof SharedActivityStore ? store : undefined;
  }

  /** Starts looking at deadlines, once a second or as often as a shared store asks for. */
  async open(): Promise<void> {
    this.#stopTicking ??= this.clock.every(this.#shared?.pollIntervalMs ?? TICK_MS, () => this.tick());
    await this.#shared?.open().catch((error: unknown) => this.#lose(error));
  }

  /** Stops, after what is under way has finished and all activity is written, as far as the store lets it. */
  async close(): Promise<void> {
    this.#stopTicking?.();
    await this.#ticking;
    await this.#shared?.close();
    await this.#flushing?.catch(ignore);
    await this.flush().catch((error: unknown) => this.#report('flush', error));
    this.signals.complete();
  }

  /**
   * Takes up the sessions that lived when the process last stopped, so that those whose browsers never come back are
   * ended and told of too. Tried again every second until the store has answered once.
   */
  recover(): void {
    // Now blobs can be removed. Until some process can, their removal waits in a shared store.
    this.#shared?.deliver(BLOBS_GROUP, (news) => this.#removeBlobOf(news), ['end', 'moved']);
    this.#recovering ??= this.#recover().catch((error: unknown) => {
      this.#report('recover', error);
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
    // What begins here has been stored already, perhaps, but is not told yet.
    await this.#starting.get(sessionId)?.catch(ignore);
    const known = this.watched.get(sessionId);
    if (known || this.#tombstones.has(sessionId) || this.#isEnding(sessionId)) return known;
    const underWay = this.#searches.get(sessionId);
    if (underWay) return underWay.found;
    const isVain = (): boolean => this.#searches.get(sessionId)?.isVain === true;
    const found = this.#find(sessionId, isVain).finally(() => this.#searches.delete(sessionId));
    this.#searches.set(sessionId, { found, isVain: false });
    return found;
  }

  /**
   * As {@link locate}, for when memory and the session's data speak of different lives: on another process somebody may
   * have signed in under this id since.
   */
  async relocate(sessionId: string): Promise<WatchedSession | undefined> {
    if (!this.#shared) return this.locate(sessionId);
    this.watched.remove(sessionId);
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
    const stored = await this.#shared.find(this.references.ofSession(sessionId)).catch(ignore);
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
    return this.#tombstones.has(sessionId) && !this.#livingRotation(sessionId);
  }

  /** Certain to go on with this life, by memory alone; also under an id that is just being given up for another. */
  goesOn(sessionId: string, life: number): boolean {
    return !this.isDead(sessionId) && this.watched.lives(sessionId, this.clock.now(), life);
  }

  /** Is there anything of this session that could be ended: a life here, one that begins, or one under a new id? */
  isInUse(sessionId: string): boolean {
    return (
      this.watched.has(sessionId) ||
      this.#starting.has(sessionId) ||
      this.#livingRotation(sessionId) !== undefined
    );
  }

  /** Why a session ended, if it did within the last hour. */
  tombstone(sessionId: string): Tombstone | undefined {
    return this.#tombstones.find(sessionId);
  }

  /** As {@link tombstone}, also of sessions that ended on other processes; `undefined` too if the store fails. */
  async findTombstone(sessionId: string): Promise<Tombstone | undefined> {
    const known = this.#tombstones.find(sessionId);
    if (known || !this.#shared) return known;
    const grave = await this.#shared.grave(this.references.ofSession(sessionId)).catch(ignore);
    if (grave) this.#tombstones.bury(sessionId, grave);
    return this.#tombstones.find(sessionId);
  }

  /** Whether other processes may start and end sessions too. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  /** Since when a shared store has been failing, in epoch milliseconds, and how; `undefined` while it answers. */
  get outage(): { readonly since: number; readonly message: string } | undefined {
    return this.#outage;
  }

  /**
   * Makes sure that memory may still be believed: a shared store that has failed for longer than the grace period may
   * hold ends of which nothing has been heard here.
   *
   * @throws {StoreFailure} if not.
   */
  requireTrust(): void {
    if (this.#outage === undefined) return;
    if (this.clock.now() - this.#outage.since >= this.graceMs) throw new StoreFailure(this.#outage.message);
  }

  /** How a session ended, wherever it went when its id was given up; `undefined` while it goes on there, or is to. */
  fateOf(sessionId: string): Tombstone | undefined {
    const tombstone = this.#tombstones.find(sessionId);
    const { successors } = this.#livingRotation(sessionId) ?? {};
    if (!successors) return tombstone;
    if (this.watched.has(sessionId) || this.successorOf(sessionId) !== undefined) return undefined;
    return successors.map((successor) => this.fateOf(successor)).find(Boolean) ?? tombstone;
  }

  /** Says that a session is dead before its end is worked off: from now on nothing may write it. */
  bury(sessionId: string, reason: EndReason | null): void {
    const userId = this.watched.get(sessionId)?.userId;
    this.#tombstones.bury(sessionId, {
      reason,
      at: this.clock.now(),
      ...(userId === undefined ? {} : { userId }),
    });
  }

  /**
   * Watches a session from now on. If somebody else was watched under this id, their session has been replaced; if it is
   * watched for this user already, by a parallel request, it stays as it is.
   */
  async start(sessionId: string, { userId, limits, device }: SessionStart): Promise<ActivityRecord> {
    for (let begun; (begun = this.#starting.get(sessionId));) await begun.catch(ignore);
    const previous = this.watched.get(sessionId);
    if (previous && isSameUser(previous.userId, userId)) return this.#recordOf(sessionId);
    const now = this.clock.now();
    const record: ActivityRecord = {
      id: this.references.ofSession(sessionId),
      life: this.#nextLife(now),
      startedAt: now,
      lastActivityAt: now,
      limits,
      ...(userId === undefined ? {} : { userId }),
      ...(device === undefined ? {} : { device }),
    };
    if (previous) await this.#shared?.end(record.id, 'replaced', 'keep');
    await this.#keep(sessionId, record, {
      tell: () => {
        if (previous) this.#tellEnd({ id: record.id, ...previous }, 'replaced', now);
        this.#emit({ kind: 'start', record, at: now });
      },
    });
    if (previous) await this.#endSiblings(sessionId);
    return record;
  }

  /**
   * A request gives a session's id up for another. Nothing may read or write the session under the old id any more, but
   * it can still expire or be ended there until {@link carry} has taken it over.
   */
  rotate(sessionId: string): void {
    const session = this.watched.get(sessionId);
    if (!session) return;
    const user = session.userId === undefined ? {} : { userId: session.userId };
    const rotation: Rotation = { session, successors: [] };
    this.#tombstones.bury(sessionId, { reason: null, at: this.clock.now(), rotation, ...user });
  }

  /**
   * Goes on with a session under its new id: its life, its sign-in and its last activity stay what they were. When
   * parallel requests gave the same id up, it goes on under each of their new ids, and a sign-out ends them all.
   *
   * @returns whether it goes on; not if it has ended meanwhile.
   */
  async carry(from: string, to: string): Promise<boolean> {
    const rotation = this.#livingRotation(from);
    const latest = rotation && this.#latestOf(from, rotation);
    if (!latest) return false;
    const { successors } = rotation;
    const isFirst = successors.push(to) === 1;
    const record = { ...latest, id: this.references.ofSession(to) };
    try {
      await this.#keep(to, record, { silent: isFirst });
    } catch (error) {
      successors.splice(successors.indexOf(to), 1);
      throw error;
    }
    if (isFirst) {
      await this.#handOver(from, to);
    } else {
      const family = new Set(successors.flatMap((each) => [each, ...(this.#siblings.get(each) ?? [])]));
      for (const sibling of successors) this.#siblings.set(sibling, [...family]);
      this.#emit({ kind: 'start', record, at: this.clock.now() });
    }
    return this.watched.has(to);
  }

  /** The id under which a session goes on whose id was given up, if it lives. */
  successorOf(sessionId: string): string | undefined {
    for (const successor of this.#tombstones.find(sessionId)?.rotation?.successors ?? []) {
      const living = this.watched.has(successor) ? successor : this.successorOf(successor);
      if (living !== undefined) return living;
    }
    return undefined;
  }

  /** The user of a session has proved again who they are: both clocks start anew (NIST SP 800-63B-4). */
  async restart(sessionId: string): Promise<void> {
    this.watched.restart(sessionId, this.clock.now());
    await this.#adjust(sessionId);
  }

  /**
   * Counts activity that happened `idleForMs` ago. Never moves back or into the future, never revives.
   *
   * @returns whether last activity moved.
   */
  touch(sessionId: string, idleForMs = 0): boolean {
    const now = this.clock.now();
    const { moved, renewed, overdue } = this.watched.touch(sessionId, now - idleForMs, now);
    if (diagnostics.touch.hasSubscribers) diagnostics.touch.publish({ moved, renewed });
    if (renewed) this.#emit({ kind: 'renew', record: this.#recordOf(sessionId), at: now });
    if (overdue && !this.#shared) this.#writeUnawaited(sessionId);
    return moved;
  }

  /**
   * True if activity must be written before it is acted on: were this process to die now, a shared store would end the
   * session too early.
   */
  mustWrite(sessionId: string): boolean {
    return this.#shared !== undefined && this.watched.unwrittenMs(sessionId) >= this.flushIntervalMs * 0.9;
  }

  /**
   * Writes the activity of a session that {@link mustWrite}, together with what else must be written in this turn of the
   * event loop. While the store fails, it stays in memory for as long as memory may be believed.
   *
   * @returns whether the session lives; not if another process has ended it.
   * @throws {StoreFailure} if that cannot be told.
   */
  async write(sessionId: string): Promise<boolean> {
    if (this.#outage === undefined) {
      this.#writing ??= this.#writeSoon();
      this.#writing.sessionIds.add(sessionId);
      await this.#writing.done.catch((error: unknown) => this.#lose(error));
    }
    this.requireTrust();
    if (this.watched.has(sessionId)) return true;
    await this.findTombstone(sessionId);
    this.bury(sessionId, null);
    return false;
  }

  /** Puts other limits in force for a session; a shortening takes effect at once. */
  async setLimits(sessionId: string, limits: Limits): Promise<void> {
    if (this.watched.setLimits(sessionId, limits, this.clock.now())) await this.#adjust(sessionId);
  }

  /**
   * Asks the store about a session that memory takes for expired, and ends it if it is so.
   *
   * @returns the reason if the session has ended, `undefined` if it lives after all. Rejects when the store fails.
   */
  settle(sessionId: string): Promise<EndReason | undefined> {
    return shared(this.#settling, sessionId, () => this.#settle(sessionId));
  }

  /**
   * Ends a session: buried first, then its record and its blob are removed. Told once, whoever calls how often. A session
   * whose id was given up for another ends under the new one.
   * What a failing store does not remove now is removed later; the session is dead from this call on all the same.
   *
   * @returns the record, to the one caller that ended it.
   */
  async end(
    sessionId: string,
    reason: EndReason,
    { keepBlob = false }: { keepBlob?: boolean } = {},
  ): Promise<ActivityRecord | undefined> {
    // A session id that stays in use for an anonymous session is not buried, it may be signed in to again.
    if (!keepBlob) this.bury(sessionId, reason);
    const underWay = this.#endsUnderWay.get(sessionId);
    if (underWay) {
      await underWay.done;
      if (keepBlob || !underWay.keepBlob) return undefined;
    }
    const done = this.#end(sessionId, reason, keepBlob);
    this.#endsUnderWay.set(sessionId, { done, keepBlob });
    try {
      return await done;
    } finally {
      if (this.#endsUnderWay.get(sessionId)?.done === done) this.#endsUnderWay.delete(sessionId);
    }
  }

  /** Removes a session's blob behind the gate, now or, if the store fails, as soon as it is back. Never rejects. */
  async removeBlob(sessionId: string): Promise<void> {
    if (this.references.isStandIn(sessionId)) return;
    try {
      await this.blobs.destroy(sessionId);
    } catch (error) {
      this.#owe(sessionId, { blob: true }, error);
    }
  }

  /** Ends a session that the store found, whether or not this process knows its own id; answers whether it did. */
  async endFound({ record, sessionId }: FoundSession, reason: EndReason): Promise<boolean> {
    if (sessionId !== undefined) return (await this.end(sessionId, reason)) !== undefined;
    const ended = await this.store.end(record.id, reason);
    if (ended) this.#tellEnd(ended, reason, this.clock.now());
    return ended !== undefined;
  }

  /** Emits why a session ended when it does, and completes; at once if it is not watched any more. */
  ended(sessionId: string): Observable<EndReason | null> {
    return defer(() => {
      const living = this.watched.has(sessionId) ? sessionId : this.successorOf(sessionId);
      if (living === undefined) return of(this.#tombstones.find(sessionId)?.reason ?? null);
      const id = this.references.ofSession(living);
      const ending = this.#endings.get(id) ?? new Subject<EndReason>();
      this.#endings.set(id, ending);
      return ending;
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
    this.signals.next({ kind: 'use-after-end', id, reason, at: this.clock.now(), ...user });
  }

  /**
   * One second's work: deadlines, what a failing store still owes, never two at a time; and the flush, which no deadline
   * waits for.
   */
  async tick(): Promise<void> {
    this.#ticking ??= this.#tick()
      .catch((error: unknown) => this.#report('tick', error))
      .finally(() => (this.#ticking = undefined));
    await this.#ticking;
    if (this.clock.now() - this.#flushedAt < this.flushIntervalMs) return;
    await this.flush().catch((error: unknown) => this.#report('flush', error));
  }

  /** Writes all activity that is not written yet, in slices. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    this.#flushedAt = this.clock.now();
    // As many as there are now; who comes meanwhile has time until the next flush.
    for (let left = this.watched.dirtyCount; left > 0; left -= FLUSH_SLICE) {
      await this.#write(this.watched.takeDirty(FLUSH_SLICE));
    }
    await Promise.all(this.#unawaited);
  }

  /** Writes the activity of these sessions in one batch. */
  async #write(sessionIds: readonly string[]): Promise<void> {
    const byId = new Map<string, string>();
    const updates = sessionIds.map((sessionId) => {
      const id = this.references.ofSession(sessionId);
      byId.set(id, sessionId);
      return { id, lastActivityAt: this.watched.get(sessionId)!.lastActivityAt };
    });
    if (updates.length === 0) return;
    try {
      const begin = this.clock.now();
      const gone = await this.store.touch(updates);
      diagnostics.flush.publish({
        updates: updates.length,
        gone: gone.length,
        durationMs: this.clock.now() - begin,
      });
      for (const { id, lastActivityAt } of updates) this.watched.noteWritten(byId.get(id)!, lastActivityAt);
      for (const id of gone) {
        this.watched.remove(byId.get(id)!);
        // A shared store tells of ends; here the record has been lost, and nobody else will say so.
        if (!this.#shared) this.#tellWaiting(id, 'revoked');
      }
      this.#relax();
    } catch (error) {
      for (const sessionId of byId.values()) this.watched.markDirty(sessionId);
      throw error;
    }
  }

  async #tick(): Promise<void> {
    const now = this.clock.now();
    this.#tombstones.sweep(now);
    if (this.#shared) return this.#tickTogether(this.#shared, now);
    let due = 0;
    for (let more = true; more;) {
      const batch = await this.store.due(now, SLICE);
      due += batch.due.length;
      await Promise.all(batch.due.map((record) => this.#tell(record, now)));
      more = batch.more;
      if (more) await new Promise((resolve) => setImmediate(resolve));
    }
    if (due > 0) {
      diagnostics.deadlines.publish({ due, durationMs: this.clock.now() - now, watched: this.watched.size });
    }
    if (this.#recoveryFailed) {
      this.#recoveryFailed = false;
      this.recover();
    }
    await this.#payDebts();
  }

  /** What there is to do when other processes do the same: the shared store judges, and tells everybody. */
  async #tickTogether(shared: SharedActivityStore, now: number): Promise<void> {
    try {
      // First what this process knows, so that nothing is judged without it.
      await this.flush();
      for (let more = true; more;) {
        ({ more } = await shared.due(now, SHARED_SLICE));
        this.#hearNews(shared);
        if (more) await new Promise((resolve) => setImmediate(resolve));
      }
      this.#regain();
    } catch (error) {
      this.#hearNews(shared);
      this.#lose(error);
    }
    this.#forgetExpired(now);
    await this.#payDebts();
  }

  /** Takes in what happened to sessions, on whichever process. */
  #hearNews(shared: SharedActivityStore): void {
    for (const news of shared.takeNews()) {
      const { signal, keepsBlob } = news;
      const isOver = signal.kind === 'end' || signal.kind === 'moved';
      const sessionId = isOver && this.watched.size > 0 ? news.sessionId : undefined;
      if (sessionId !== undefined && this.watched.get(sessionId)?.life === signal.record.life) {
        if (!keepsBlob) this.bury(sessionId, signal.kind === 'end' ? signal.reason : null);
        this.#release(sessionId);
      }
      if (signal.kind === 'end') this.#tellWaiting(signal.record.id, signal.reason);
      if (signal.kind !== 'moved') this.signals.next(signal);
    }
  }

  /** Memory is a shadow of the shared store: what is over by memory is looked up again when it is asked for. */
  #forgetExpired(now: number): void {
    for (let more = true; more;) {
      const slice = this.watched.due(now, SLICE);
      for (const { sessionId, verdict } of slice.due)
        if (verdict.phase === 'expired') this.watched.remove(sessionId);
      more = slice.more;
    }
  }

  /** Removes the blob of a session that has ended anywhere; rejects if the session store fails, to be called again. */
  async #removeBlobOf({ sessionId, keepsBlob }: News): Promise<void> {
    if (sessionId !== undefined && !keepsBlob) await this.blobs.destroy(sessionId);
  }

  #writeSoon(): { sessionIds: Set<string>; done: Promise<void> } {
    const sessionIds = new Set<string>();
    const done = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.#writing = undefined;
      const living = [...sessionIds].filter((sessionId) => this.watched.has(sessionId));
      for (const sessionId of living) this.watched.clearDirty(sessionId);
      return this.#write(living);
    });
    return { sessionIds, done };
  }

  /**
   * Writes activity that a process which took over would not allow for, were this one to die before the next flush. The
   * request does not wait for it, and a store that fails is not asked once more by each of them.
   */
  #writeUnawaited(sessionId: string): void {
    if (this.#storeFailing) return;
    if (!this.#writing) {
      this.#writing = this.#writeSoon();
      const written = this.#writing.done.catch((error: unknown) => this.#report('flush', error));
      this.#unawaited.add(written);
      void written.then(() => this.#unawaited.delete(written));
    }
    this.#writing.sessionIds.add(sessionId);
  }

  /** A shared store tells what happens through its log; else it is told here. */
  #emit(signal: ActivitySignal): void {
    if (!this.#shared) this.signals.next(signal);
  }

  /** The shared store fails; said once until it answers again. */
  #lose(error: unknown): void {
    diagnostics.storeFailure.publish({ operation: 'shared', message: messageOf(error) });
    if (this.#outage) return;
    this.#outage = { since: this.clock.now(), message: messageOf(error) };
    this.#logger.error(
      `The activity store fails (${messageOf(error)}): nobody is ended on a guess, sessions known to be alive are ` +
        `served for ${this.graceMs / 1000} s, all others are refused until it is back.`,
    );
  }

  #regain(): void {
    if (!this.#outage) return;
    const seconds = ((this.clock.now() - this.#outage.since) / 1000).toFixed(1);
    this.#outage = undefined;
    this.#logger.log(`The activity store answers again, after ${seconds} s.`);
  }

  /** Tells of one passed boundary at once; answers when the ended session's blob is removed too. */
  async #tell({ kind, reason, dueAt, record, sessionId }: DueRecord, at: number): Promise<void> {
    if (kind === 'warn') return this.signals.next({ kind, record, at, dueAt, reason });
    if (kind === 'gone') {
      if (sessionId !== undefined) this.#release(sessionId);
      return this.#tellWaiting(record.id, reason);
    }
    if (sessionId !== undefined) {
      this.bury(sessionId, reason);
      this.#release(sessionId);
      // It is just being carried over; its time will be over under the new id too.
      const { successors = [] } = this.#tombstones.find(sessionId)?.rotation ?? {};
      if (successors.some((successor) => this.isInUse(successor))) return;
    }
    if (sessionId === undefined || this.#tombstones.tellOnce(sessionId)) this.#tellEnd(record, reason, dueAt);
    if (sessionId !== undefined) await this.removeBlob(sessionId);
  }

  #tellEnd(record: ActivityRecord, reason: EndReason, dueAt: number): void {
    this.#emit({ kind: 'end', record, at: this.clock.now(), dueAt, reason });
    this.#tellWaiting(record.id, reason);
  }

  /** Lets those go on who wait for the end of a session. */
  #tellWaiting(id: string, reason: EndReason): void {
    const ending = this.#endings.get(id);
    this.#endings.delete(id);
    ending?.next(reason);
    ending?.complete();
  }

  async #settle(sessionId: string): Promise<EndReason | undefined> {
    if (this.#shared) return this.#settleTogether(this.#shared, sessionId);
    const life = this.watched.get(sessionId)?.life;
    const stored = await this.store.find(this.references.ofSession(sessionId)).catch(forgiveCorrupt);
    // Somebody may have signed in under the same id meanwhile.
    await this.#starting.get(sessionId)?.catch(ignore);
    if (this.watched.get(sessionId)?.life !== life) return undefined;
    if (stored?.life === life) this.watched.learn(sessionId, stored!.lastActivityAt, this.clock.now());
    const verdict = this.verdict(sessionId);
    if (verdict && verdict.phase !== 'expired') return undefined;
    const reason = verdict?.reason ?? this.#tombstones.find(sessionId)?.reason ?? 'idle';
    await this.end(sessionId, reason);
    return reason;
  }

  async #settleTogether(shared: SharedActivityStore, sessionId: string): Promise<EndReason | undefined> {
    const id = this.references.ofSession(sessionId);
    const expiry = await shared.expire(id);
    if (expiry.state === 'alive') {
      this.watched.learn(sessionId, expiry.record.lastActivityAt, this.clock.now());
      return undefined;
    }
    const tombstone = expiry.state === 'gone' ? await this.findTombstone(sessionId) : undefined;
    const reason = expiry.state === 'ended' ? expiry.reason : (tombstone?.reason ?? 'idle');
    this.bury(sessionId, reason);
    this.#release(sessionId);
    this.#tellWaiting(id, reason);
    await this.removeBlob(sessionId);
    return reason;
  }

  async #end(sessionId: string, reason: EndReason, keepBlob: boolean): Promise<ActivityRecord | undefined> {
    // Begun but not stored yet: it begins first, so that its end can be told.
    await this.#starting.get(sessionId)?.catch(ignore);
    const now = this.clock.now();
    const timedOut = reason === 'idle' || reason === 'lifetime';
    const successors = this.#tombstones.find(sessionId)?.rotation?.successors ?? [];
    // Each sibling has an activity of its own, so that one can be idle while another is in use.
    const siblings = timedOut ? [] : (this.#siblings.get(sessionId) ?? []);
    const others = [...successors, ...siblings];
    const owed = this.#debts.get(sessionId);
    const known = this.#release(sessionId);
    // All at once: none of them is to be served until the store has removed another.
    const [ended, ...endedThere] = await Promise.all([
      this.#removeRecord(sessionId, reason, known, keepBlob),
      ...others.filter((other) => this.isInUse(other)).map((other) => this.end(other, reason)),
    ]);
    // What goes on under another id ends there, and is told there.
    if (successors.length > 0) return endedThere.find((record) => record !== undefined);
    const isTold = known === undefined && owed?.end !== undefined && !owed.untold;
    if (!ended || isTold || !this.#tombstones.tellOnce(sessionId)) {
      // Another has told of it, or its record is lost; whoever waits here is to go on all the same.
      this.#tellWaiting(this.references.ofSession(sessionId), reason);
      return undefined;
    }
    const record = { ...ended, ...known };
    this.#tellEnd(record, reason, timedOut ? judge(record.limits, record, now).expireAt : now);
    return record;
  }

  async #removeRecord(
    sessionId: string,
    reason: EndReason,
    known: WatchedSession | undefined,
    keepBlob: boolean,
  ): Promise<ActivityRecord | undefined> {
    const id = this.references.ofSession(sessionId);
    try {
      const ended = await this.#endRecord(id, reason, keepBlob ? 'keep' : 'end');
      if (!keepBlob) await this.removeBlob(sessionId);
      return ended;
    } catch (error) {
      this.#owe(sessionId, { end: reason, untold: known === undefined, blob: !keepBlob }, error);
      return known && { id, ...known };
    }
  }

  #endRecord(id: string, reason: EndReason, mode: EndMode): Promise<ActivityRecord | undefined> {
    return this.#shared ? this.#shared.end(id, reason, mode) : this.store.end(id, reason);
  }

  /** The session goes on under its new id; nothing is left of it under the old one. */
  async #handOver(from: string, to: string): Promise<void> {
    const siblings = this.#siblings.get(from);
    if (siblings) this.#siblings.set(to, siblings);
    const last = this.#release(from);
    if (last) this.watched.touch(to, last.lastActivityAt, this.clock.now());
    const [oldId, newId] = [from, to].map((sessionId) => this.references.ofSession(sessionId));
    const ending = this.#endings.get(oldId!);
    if (ending) this.#endings.set(newId!, ending);
    this.#endings.delete(oldId!);
    await this.#endRecord(oldId!, 'replaced', 'move').catch((error: unknown) =>
      this.#owe(from, { end: 'replaced' }, error),
    );
  }

  /** Somebody else has taken over one of the ids that parallel requests gave the same session. */
  async #endSiblings(sessionId: string): Promise<void> {
    const siblings = this.#siblings.get(sessionId) ?? [];
    this.#siblings.delete(sessionId);
    const others = siblings.filter((sibling) => sibling !== sessionId && this.isInUse(sibling));
    await Promise.all(others.map((other) => this.end(other, 'replaced')));
  }

  /** What is known of a session whose id was given up, under whichever id it goes on; nothing if it has ended there. */
  #latestOf(sessionId: string, { session, successors }: Rotation): WatchedSession | undefined {
    const living = this.watched.has(sessionId) ? sessionId : this.successorOf(sessionId);
    const known = living === undefined ? undefined : this.watched.get(living);
    if (known) return known.life === session.life ? known : undefined;
    return successors.some((successor) => this.#starting.has(successor)) ? session : undefined;
  }

  #livingRotation(sessionId: string): Rotation | undefined {
    const tombstone = this.#tombstones.find(sessionId);
    return tombstone?.reason === null ? tombstone.rotation : undefined;
  }

  async #find(sessionId: string, isVain: () => boolean): Promise<WatchedSession | undefined> {
    const id = this.references.ofSession(sessionId);
    let record: ActivityRecord | undefined;
    try {
      record = await this.store.find(id);
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      if (!this.#corruptReported) this.#logger.error(error.message);
      this.#corruptReported = true;
      this.bury(sessionId, null);
    }
    // It may have been started or ended here while the store was asked.
    const known = this.watched.get(sessionId);
    const standIn = this.references.standInFor(id);
    if (known || !record || isVain()) return known;
    if (this.#tombstones.has(sessionId) || this.#tombstones.has(standIn)) return undefined;
    this.watched.remove(standIn);
    this.#handledMeanwhile?.add(id);
    await this.#adopt(sessionId, record);
    // The next flush says in the store that this process keeps the record now.
    if (!this.#shared) this.watched.markDirty(sessionId);
    return this.watched.get(sessionId);
  }

  /** Its record is being removed, or still is to be: what the store finds of it is void. */
  #isEnding(sessionId: string): boolean {
    return this.#endsUnderWay.has(sessionId) || this.#debts.get(sessionId)?.end !== undefined;
  }

  /** Watches a session no longer. */
  #release(sessionId: string): WatchedSession | undefined {
    const search = this.#searches.get(sessionId);
    if (search) search.isVain = true;
    this.#siblings.delete(sessionId);
    this.#handledMeanwhile?.add(this.references.ofSession(sessionId));
    return this.watched.remove(sessionId);
  }

  async #recover(): Promise<void> {
    const known = [...this.watched.sessionIds(), ...this.#starting.keys()];
    const handled = new Set(known.map((sessionId) => this.references.ofSession(sessionId)));
    this.#handledMeanwhile = handled;
    try {
      const found = await this.store.recover();
      for (const [index, { record, sessionId = this.references.standInFor(record.id) }] of found.entries()) {
        if (index % RECOVERY_SLICE === RECOVERY_SLICE - 1)
          await new Promise((resolve) => setImmediate(resolve));
        if (handled.has(record.id)) continue;
        if (this.watched.has(sessionId) || this.#tombstones.has(sessionId)) continue;
        await this.#adopt(sessionId, record);
      }
    } finally {
      this.#handledMeanwhile = undefined;
    }
  }

  /** Watches a session that the store knew. */
  async #adopt(sessionId: string, record: ActivityRecord): Promise<void> {
    const now = this.clock.now();
    if (this.#shared) {
      this.#takeOver(sessionId, record, now);
      return;
    }
    // A stamp of the future is corrected in the store too, before it becomes believable by the passing of time.
    if (record.lastActivityAt > now) await this.store.start({ ...record, lastActivityAt: now });
    this.#takeOver(sessionId, record, now);
  }

  #takeOver(sessionId: string, record: ActivityRecord, now: number): void {
    this.watched.put(sessionId, record, now);
    // It was read with the slack of a process that may have died; what is written may be that much older.
    this.watched.noteWritten(sessionId, record.lastActivityAt - this.flushIntervalMs);
  }

  /** Stored first: a session must never carry the marker of a record that does not exist. */
  async #keep(
    sessionId: string,
    record: ActivityRecord,
    { silent = false, tell }: { silent?: boolean; tell?: () => void } = {},
  ): Promise<void> {
    // What is still to be done for an earlier life of this id is overwritten.
    this.#debts.delete(sessionId);
    this.#handledMeanwhile?.add(record.id);
    const stored = this.#shared ? this.#shared.start(record, sessionId, silent) : this.store.start(record);
    const starting = stored.then(
      () => {
        // The id was given up meanwhile: who was there has gone on to another, and nobody takes their place here.
        if (this.#livingRotation(sessionId)) return void this.#debts.set(sessionId, { end: 'replaced' });
        this.watched.put(sessionId, record, this.clock.now());
        tell?.();
      },
      (error: unknown) => {
        // It may have been stored all the same: then nobody would ever end it, or it hides who is still watched here.
        const isOccupied = !this.#shared && this.watched.has(sessionId);
        this.#owe(sessionId, isOccupied ? { adjust: true } : { end: 'replaced' }, error);
        throw error;
      },
    );
    this.#starting.set(sessionId, starting);
    try {
      await starting;
    } finally {
      if (this.#starting.get(sessionId) === starting) this.#starting.delete(sessionId);
    }
  }

  /** In force from now on here; the store is told now or when it is back. */
  async #adjust(sessionId: string): Promise<void> {
    try {
      await this.store.adjust(this.#recordOf(sessionId));
    } catch (error) {
      this.#owe(sessionId, { adjust: true }, error);
    }
  }

  #nextLife(now: number): number {
    this.#life = Math.max(this.#life + 1, Math.floor(now));
    return this.#life % 2 ** 32;
  }

  #recordOf(sessionId: string): ActivityRecord {
    return { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! };
  }

  #owe(sessionId: string, debt: Debt, error: unknown): void {
    this.#report('end', error);
    this.#debts.set(sessionId, { ...this.#debts.get(sessionId), ...debt });
  }

  async #payDebts(): Promise<void> {
    if (this.#debts.size === 0) return;
    const due = [...this.#debts].slice(0, RETRIES_PER_TICK);
    await Promise.all(due.map(([sessionId, debt]) => this.#pay(sessionId, debt).catch(ignore)));
    if (this.#debts.size === 0) this.#relax();
  }

  async #pay(sessionId: string, debt: Debt): Promise<void> {
    const { end, untold, blob, adjust } = debt;
    if (adjust && this.watched.has(sessionId)) await this.store.adjust(this.#recordOf(sessionId));
    if (end !== undefined) {
      const ended = await this.#endRecord(this.references.ofSession(sessionId), end, blob ? 'end' : 'keep');
      if (ended && untold && this.#tombstones.tellOnce(sessionId))
        this.#tellEnd(ended, end, this.clock.now());
    }
    if (blob) await this.blobs.destroy(sessionId);
    if (this.#debts.get(sessionId) === debt) this.#debts.delete(sessionId);
  }

  /** One line for each time that the store is away, however much fails meanwhile. */
  #report(operation: string, error: unknown): void {
    diagnostics.storeFailure.publish({ operation, message: messageOf(error) });
    if (this.#storeFailing) return;
    this.#storeFailing = true;
    this.#logger.error(
      `The session store fails (${messageOf(error)}): nobody is signed in or ended on a guess, and what is to be ` +
        'written or removed waits until it is back.',
    );
  }

  #relax(): void {
    if (!this.#storeFailing) return;
    this.#storeFailing = false;
    this.#logger.log('The session store answers again.');
  }
}

/** One run of `work` at a time for each key; whoever comes while it runs shares its outcome. */
function shared<Result>(
  running: Map<string, Promise<Result>>,
  key: string,
  work: () => Promise<Result>,
): Promise<Result> {
  let run = running.get(key);
  if (!run) {
    run = work().finally(() => running.delete(key));
    running.set(key, run);
  }
  return run;
}

/** Users of whom nothing is known are not told apart. */
function isSameUser(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function ignore(): undefined {
  return undefined;
}

function forgiveCorrupt(error: unknown): undefined {
  if (!(error instanceof CorruptRecordError)) throw error;
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
