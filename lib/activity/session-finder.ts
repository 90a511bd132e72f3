import { Logger } from '@nestjs/common';
import { type ActivityRecord, type KeptRevocation, withoutAllowance } from './activity-record.js';
import { type ActivityStore, CorruptRecordError } from './activity-store.js';
import type { Clock } from './clock.js';
import { isEndedBy, type Revocation, type Revocations } from './revocations.js';
import type { Rotations } from './rotations.js';
import type { SessionReferences } from './session-reference.js';
import { SharedActivityStore } from './shared-activity-store.js';
import type { StoreDebts } from './store-debts.js';
import type { Tombstone, Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** Recovered sessions taken up between two turns of the event loop. */
const RECOVERY_SLICE = 5000;

/** How far apart the ideas may be that processes have of a shared store's clock. */
const CLOCKS_APART_MS = 1000;

/** A look-up of a record. */
interface Search {
  readonly found: Promise<WatchedSession | undefined>;
  /** The session has ended here while the store was asked. */
  isVain: boolean;
}

/**
 * Brings into memory what the store knows, and takes it out again. While the store is asked, sessions begin and end here;
 * what it answers is held against that.
 */
export class SessionFinder {
  readonly #logger = new Logger('SessionSecurity');
  readonly #shared: SharedActivityStore | undefined;
  /** By session id, so that parallel requests of one session share a search. */
  readonly #searches = new Map<string, Search>();
  /** Records that began, ended or were found by their cookie while all are being recovered: the listing lags behind. */
  #handledMeanwhile: Set<string> | undefined;
  #corruptReported = false;

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly tombstones: Tombstones,
    private readonly rotations: Rotations,
    private readonly revocations: Revocations,
    private readonly debts: StoreDebts,
  ) {
    this.#shared = store instanceof SharedActivityStore ? store : undefined;
  }

  /** Looks a session up that memory does not know, and remembers it. Rejects when the store fails. */
  find(sessionId: string): Promise<WatchedSession | undefined> {
    const underWay = this.#searches.get(sessionId);
    if (underWay) return underWay.found;
    const isVain = (): boolean => this.#searches.get(sessionId)?.isVain === true;
    const found = this.#find(sessionId, isVain).finally(() => this.#searches.delete(sessionId));
    this.#searches.set(sessionId, { found, isVain: false });
    return found;
  }

  /** Why a session ended, also on another process; `undefined` too if the store fails. */
  async findTombstone(sessionId: string): Promise<Tombstone | undefined> {
    const known = this.tombstones.find(sessionId);
    if (known || !this.#shared) return known;
    const grave = await this.#shared.grave(this.references.ofSession(sessionId)).catch(() => undefined);
    if (grave) this.tombstones.bury(sessionId, grave.reason, { at: grave.at });
    return this.tombstones.find(sessionId);
  }

  /** Watches a session no longer; what is just being looked up of it is void. */
  forget(sessionId: string): WatchedSession | undefined {
    const search = this.#searches.get(sessionId);
    if (search) search.isVain = true;
    this.rotations.forgetSiblings(sessionId);
    if (this.#handledMeanwhile) this.handle(this.references.ofSession(sessionId));
    return this.watched.remove(sessionId);
  }

  /** A record begins: whatever a recovery that is under way finds of it is older. */
  handle(id: string): void {
    this.#handledMeanwhile?.add(id);
  }

  /**
   * Takes up the sessions that lived when the process last stopped. Rejects when the store fails.
   *
   * @param beginning sessions that begin just now
   */
  async recover(beginning: Iterable<string>): Promise<void> {
    const known = [...this.watched.sessionIds(), ...beginning];
    const handled = new Set(known.map((sessionId) => this.references.ofSession(sessionId)));
    this.#handledMeanwhile = handled;
    try {
      const found = await this.store.recover();
      for (const [index, { record, sessionId = this.references.standInFor(record.id) }] of found.entries()) {
        if (index % RECOVERY_SLICE === RECOVERY_SLICE - 1)
          await new Promise((resolve) => setImmediate(resolve));
        const kept = await this.#keptRevocation(record);
        if (handled.has(record.id)) continue;
        if (this.watched.has(sessionId) || this.tombstones.has(sessionId)) continue;
        await this.#adopt(sessionId, record, kept, () => handled.has(record.id));
      }
    } finally {
      this.#handledMeanwhile = undefined;
    }
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
      this.tombstones.bury(sessionId, null);
    }
    const kept = record && (await this.#keptRevocation(record));
    // It may have been started or ended here while the store was asked.
    const known = this.watched.get(sessionId);
    const standIn = this.references.standInFor(id);
    if (known || !record || isVain()) return known;
    if (this.tombstones.has(sessionId) || this.tombstones.has(standIn)) return undefined;
    this.watched.remove(standIn);
    this.handle(id);
    await this.#adopt(sessionId, record, kept, isVain);
    // The next flush says in the store that this process keeps the record now.
    if (!this.#shared) this.watched.markDirty(sessionId);
    return this.watched.get(sessionId);
  }

  /** A process before this one may have been told to end all sessions of a user, and have known as little of this one. */
  async #keptRevocation({ userId }: ActivityRecord): Promise<KeptRevocation | undefined> {
    return userId === undefined || this.revocations.has(userId)
      ? undefined
      : this.store.revocationOf?.(userId);
  }

  /** Watches a session that the store knew, unless it is over, or more is known of it by the time that it could be. */
  async #adopt(
    sessionId: string,
    record: ActivityRecord,
    kept: KeptRevocation | undefined,
    isOutdated: () => boolean,
  ): Promise<void> {
    const now = this.clock.now();
    await this.#correct(record, now);
    if (isOutdated()) return;
    const revocation = this.revocations.of(record, now);
    if (revocation) return this.#carryOut(revocation, sessionId);
    if (kept && isEndedBy(kept, record, now)) return this.#carryOut({ ...kept, carriedOut: 0 }, sessionId);
    this.watched.put(sessionId, record, now);
  }

  /**
   * Takes stamps of the future back to now, in the store too, before they become believable by the passing of time: a
   * clock was ahead when they were written. Else the lifetime would count from then, and the idle time too.
   */
  async #correct(record: ActivityRecord, now: number): Promise<void> {
    const startedAt = Math.min(record.startedAt, now);
    const lastActivityAt = Math.min(record.lastActivityAt, now);
    if (this.#shared) {
      // It holds last activity to its own clock.
      if (record.startedAt > now + CLOCKS_APART_MS)
        await this.#shared.adjust(withoutAllowance({ ...record, startedAt }));
    } else if (startedAt < record.startedAt || lastActivityAt < record.lastActivityAt) {
      await this.store.start(withoutAllowance({ ...record, startedAt, lastActivityAt }));
    }
  }

  async #carryOut(revocation: Revocation, sessionId: string): Promise<void> {
    const { reason } = revocation;
    revocation.carriedOut++;
    this.tombstones.bury(sessionId, reason);
    const blob = !this.references.isStandIn(sessionId);
    await this.debts.settle(sessionId, { end: reason, untold: true, blob });
  }
}
