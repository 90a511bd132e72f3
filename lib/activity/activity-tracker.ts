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
import { type Tombstone, Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

const TICK_MS = 1000;
/** Sessions settled between two turns of the event loop. */
const SLICE = 500;
/** Removals that a failing store still owes, tried again per tick. */
const RETRIES_PER_TICK = 100;

/** What the tracker is to watch. */
export interface SessionStart {
  readonly userId?: string | undefined;
  readonly limits: Limits;
  readonly device?: string | undefined;
}

/** A removal that the store refused, to be tried again. */
interface Debt {
  readonly reason: EndReason;
  readonly record: boolean;
  readonly blob: boolean;
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
  /** Look-ups under way, so that parallel requests of one session share one. */
  readonly #finding = new Map<string, Promise<WatchedSession | undefined>>();
  readonly #debts = new Map<string, Debt>();
  /** Who waits for the end of a session, by record id. */
  readonly #endings = new Map<string, Subject<EndReason>>();
  #flushedAt: number;
  #life = 0;
  #ticking?: Promise<void> | undefined;
  #stopTicking?: () => void;
  #corruptReported = false;

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly blobs: SessionBlobs,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly flushIntervalMs: number,
  ) {
    this.#flushedAt = clock.now();
  }

  /** Starts looking at deadlines, once a second. */
  open(): void {
    this.#stopTicking ??= this.clock.every(TICK_MS, () => this.tick());
  }

  /** Stops, after what is under way has finished and all activity is written. */
  async close(): Promise<void> {
    this.#stopTicking?.();
    await this.#ticking;
    await this.flush();
    this.signals.complete();
  }

  /**
   * The session as far as it is known here or in the store; `undefined` if there is no record of it.
   * Rejects when the store fails: then nothing is known, and nobody may be let in or ended on a guess.
   */
  async locate(sessionId: string): Promise<WatchedSession | undefined> {
    const known = this.watched.get(sessionId);
    if (known || this.#tombstones.find(sessionId)) return known;
    let finding = this.#finding.get(sessionId);
    if (!finding) {
      finding = this.#find(sessionId).finally(() => this.#finding.delete(sessionId));
      this.#finding.set(sessionId, finding);
    }
    return finding;
  }

  /** The session by memory alone. */
  recall(sessionId: string): WatchedSession | undefined {
    return this.watched.get(sessionId);
  }

  /** Where the session stands, by memory. `active` and `warning` are certain, `expired` is to be confirmed. */
  verdict(sessionId: string): Verdict | undefined {
    return this.watched.verdict(sessionId, this.clock.now());
  }

  /** Why a session ended, if it did within the last hour. */
  tombstone(sessionId: string): Tombstone | undefined {
    return this.#tombstones.find(sessionId);
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

  /** Watches a session from now on, whatever was known of it. */
  async start(sessionId: string, { userId, limits, device }: SessionStart): Promise<ActivityRecord> {
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
    await this.#keep(sessionId, record);
    this.signals.next({ kind: 'start', record, at: now });
    return record;
  }

  /** Goes on with a detached session under a new id: its life and its sign-in stay what they were. */
  async carry(detached: ActivityRecord, sessionId: string): Promise<void> {
    const record = {
      ...detached,
      id: this.references.ofSession(sessionId),
      lastActivityAt: this.clock.now(),
    };
    await this.#keep(sessionId, record);
  }

  /** The user of a session has proved again who they are: both clocks start anew (NIST SP 800-63B-4). */
  async restart(sessionId: string): Promise<void> {
    this.watched.restart(sessionId, this.clock.now());
    await this.store.adjust(this.#recordOf(sessionId));
  }

  /**
   * Counts activity that happened `idleForMs` ago. Never moves back or into the future, never revives.
   *
   * @returns whether last activity moved.
   */
  touch(sessionId: string, idleForMs = 0): boolean {
    const now = this.clock.now();
    if (this.watched.verdict(sessionId, now)?.phase === 'expired') return false;
    const { moved, renewed } = this.watched.touch(sessionId, now - idleForMs, now);
    if (diagnostics.touch.hasSubscribers) diagnostics.touch.publish({ moved, renewed });
    if (renewed) this.signals.next({ kind: 'renew', record: this.#recordOf(sessionId), at: now });
    return moved;
  }

  /** Puts other limits in force for a session; a shortening takes effect at once. */
  async setLimits(sessionId: string, limits: Limits): Promise<void> {
    if (!this.watched.setLimits(sessionId, limits, this.clock.now())) return;
    await this.store.adjust(this.#recordOf(sessionId));
  }

  /**
   * Asks the store about a session that memory takes for expired, and ends it if it is so.
   *
   * @returns the reason if the session has ended, `undefined` if it lives after all. Rejects when the store fails.
   */
  async settle(sessionId: string): Promise<EndReason | undefined> {
    const stored = await this.store.find(this.references.ofSession(sessionId)).catch(forgiveCorrupt);
    if (stored) this.watched.learn(sessionId, stored.lastActivityAt, this.clock.now());
    const verdict = this.verdict(sessionId);
    if (verdict && verdict.phase !== 'expired') return undefined;
    const reason = verdict?.reason ?? this.#tombstones.find(sessionId)?.reason ?? 'idle';
    await this.end(sessionId, reason);
    return reason;
  }

  /**
   * Ends a session: buried first, then its record and its blob are removed. Told once, whoever calls how often.
   * What a failing store does not remove now is removed later; the session is dead from this call on all the same.
   *
   * @returns the record, to the one caller that ended it.
   */
  async end(
    sessionId: string,
    reason: EndReason,
    options: { keepBlob?: boolean } = {},
  ): Promise<ActivityRecord | undefined> {
    const now = this.clock.now();
    const id = this.references.ofSession(sessionId);
    // A session id that stays in use for an anonymous session is not buried, it may be signed in to again.
    if (!options.keepBlob) this.bury(sessionId, reason);
    const known = this.watched.remove(sessionId);
    let ended: ActivityRecord | undefined;
    try {
      ended = await this.store.end(id, reason);
      if (!options.keepBlob) await this.#destroyBlob(sessionId, reason);
    } catch (error) {
      this.#owe(sessionId, { reason, record: true, blob: !options.keepBlob }, error);
      ended = known && { id, ...known };
    }
    if (!ended) return undefined;
    const record = { ...ended, ...known };
    const timedOut = reason === 'idle' || reason === 'lifetime';
    this.#tellEnd(record, reason, timedOut ? judge(record.limits, record, now).expireAt : now);
    return record;
  }

  /**
   * Takes a session out without telling, because its id is being changed; {@link start} goes on with it under the new
   * id, or {@link told} says that it ended after all.
   */
  async detach(sessionId: string): Promise<ActivityRecord | undefined> {
    this.bury(sessionId, null);
    const known = this.watched.remove(sessionId);
    const id = this.references.ofSession(sessionId);
    const stored = await this.store.end(id, 'replaced').catch((error: unknown) => {
      this.#owe(sessionId, { reason: 'replaced', record: true, blob: false }, error);
      return known && { id, ...known };
    });
    return stored && { ...stored, ...known };
  }

  /** Tells the end of a detached session. */
  told(sessionId: string, record: ActivityRecord, reason: EndReason): void {
    const at = this.clock.now();
    const { userId } = record;
    this.#tombstones.explain(sessionId, { reason, at, ...(userId === undefined ? {} : { userId }) });
    this.#tellEnd(record, reason, at);
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
      const tombstone = this.#tombstones.find(sessionId);
      if (tombstone || !this.watched.has(sessionId)) return of(tombstone?.reason ?? null);
      const id = this.references.ofSession(sessionId);
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

  /** One second's work: deadlines, flush, what a failing store still owes. Never two at a time. */
  async tick(): Promise<void> {
    this.#ticking ??= this.#tick()
      .catch((error: unknown) => {
        diagnostics.storeFailure.publish({ operation: 'tick', message: messageOf(error) });
        this.#logger.error(`The session store failed: ${messageOf(error)}`);
      })
      .finally(() => (this.#ticking = undefined));
    return this.#ticking;
  }

  /** Writes all activity that is not written yet, in one batch. */
  async flush(): Promise<void> {
    this.#flushedAt = this.clock.now();
    const byId = new Map<string, string>();
    const updates = this.watched.takeDirty().map((sessionId) => {
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
      for (const id of gone) this.watched.remove(byId.get(id)!);
    } catch (error) {
      for (const sessionId of byId.values()) this.watched.markDirty(sessionId);
      throw error;
    }
  }

  async #tick(): Promise<void> {
    const now = this.clock.now();
    this.#tombstones.sweep(now);
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
    await this.#payDebts();
    if (now - this.#flushedAt >= this.flushIntervalMs) await this.flush();
  }

  /** Tells of one passed boundary at once; answers when the ended session's blob is removed too. */
  async #tell({ kind, reason, dueAt, record, sessionId }: DueRecord, at: number): Promise<void> {
    if (kind === 'warn') return this.signals.next({ kind, record, at, dueAt, reason });
    if (sessionId !== undefined) {
      this.bury(sessionId, reason);
      this.watched.remove(sessionId);
    }
    this.#tellEnd(record, reason, dueAt);
    if (sessionId !== undefined) await this.#destroyBlob(sessionId, reason);
  }

  #tellEnd(record: ActivityRecord, reason: EndReason, dueAt: number): void {
    this.signals.next({ kind: 'end', record, at: this.clock.now(), dueAt, reason });
    const ending = this.#endings.get(record.id);
    this.#endings.delete(record.id);
    ending?.next(reason);
    ending?.complete();
  }

  async #find(sessionId: string): Promise<WatchedSession | undefined> {
    let record: ActivityRecord | undefined;
    try {
      record = await this.store.find(this.references.ofSession(sessionId));
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      if (!this.#corruptReported) this.#logger.error(error.message);
      this.#corruptReported = true;
      this.bury(sessionId, null);
    }
    // It may have been started or ended here while the store was asked.
    const known = this.watched.get(sessionId);
    if (known || !record || this.#tombstones.find(sessionId)) return known;
    const now = this.clock.now();
    // A stamp of the future is corrected in the store too, before it becomes believable by the passing of time.
    if (record.lastActivityAt > now) await this.store.start({ ...record, lastActivityAt: now });
    this.watched.put(sessionId, record, now);
    // The next flush says in the store that this process keeps the record now.
    this.watched.markDirty(sessionId);
    return this.watched.get(sessionId);
  }

  /** Stored first: a session must never carry the marker of a record that does not exist. */
  async #keep(sessionId: string, record: ActivityRecord): Promise<void> {
    await this.store.start(record);
    this.watched.put(sessionId, record, this.clock.now());
  }

  #nextLife(now: number): number {
    this.#life = Math.max(this.#life + 1, Math.floor(now));
    return this.#life % 2 ** 32;
  }

  #recordOf(sessionId: string): ActivityRecord {
    return { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! };
  }

  async #destroyBlob(sessionId: string, reason: EndReason): Promise<void> {
    try {
      await this.blobs.destroy(sessionId);
    } catch (error) {
      this.#owe(sessionId, { reason, record: false, blob: true }, error);
    }
  }

  #owe(sessionId: string, debt: Debt, error: unknown): void {
    diagnostics.storeFailure.publish({ operation: 'end', message: messageOf(error) });
    if (this.#debts.size === 0) {
      this.#logger.warn(
        `The session store failed (${messageOf(error)}); ended sessions are removed when it is back.`,
      );
    }
    this.#debts.set(sessionId, debt);
  }

  async #payDebts(): Promise<void> {
    const due = [...this.#debts].slice(0, RETRIES_PER_TICK);
    await Promise.all(
      due.map(async ([sessionId, { reason, record, blob }]) => {
        try {
          if (record) await this.store.end(this.references.ofSession(sessionId), reason);
          if (blob) await this.blobs.destroy(sessionId);
          this.#debts.delete(sessionId);
        } catch {
          // Still away; the next tick tries again.
        }
      }),
    );
  }
}

function forgiveCorrupt(error: unknown): undefined {
  if (!(error instanceof CorruptRecordError)) throw error;
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
