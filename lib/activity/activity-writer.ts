import { withoutAllowance } from './activity-record.js';
import type { ActivityStore } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import { diagnostics } from './diagnostics.js';
import type { SessionReferences } from './session-reference.js';
import { SharedActivityStore } from './shared-activity-store.js';
import type { StoreHealth } from './store-health.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** Sessions whose activity is written together. */
const FLUSH_SLICE = 500;
/** A process's idea of a shared store's clock is allowed to be wrong by the rest of the interval. */
const SHARED_SHARE = 0.9;

/** A session that a shared store has no living record of, as it was remembered. */
interface GoneSession {
  readonly sessionId: string;
  readonly session: WatchedSession;
}

/** Activity that is written at the end of this turn of the event loop. */
interface Batch {
  readonly sessionIds: Set<string>;
  readonly done: Promise<void>;
}

/**
 * Writes the activity that memory knows to the store: all of it once per flush interval, and at once what is older than
 * a process that took over would allow for.
 */
export class ActivityWriter {
  /** How much later than what the store knows last activity may be before it is overdue. */
  readonly overdueAfterMs: number;
  readonly #isShared: boolean;
  #batch: Batch | undefined;
  /** Writes that no request waits for, but a flush does, and with it the end of the process. */
  readonly #unawaited = new Set<Promise<void>>();
  /** Sessions that a shared store has no living record of, by their records, until what became of them has been heard. */
  readonly gone = new Map<string, GoneSession>();
  /** Those of them for whose end somebody waits. */
  #lost: string[] = [];
  #flushing: Promise<void> | undefined;
  #flushedAt: number;

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly announcements: Announcements,
    private readonly health: StoreHealth,
    private readonly flushIntervalMs: number,
  ) {
    this.#isShared = store instanceof SharedActivityStore;
    this.overdueAfterMs = flushIntervalMs * (this.#isShared ? SHARED_SHARE : 1);
    this.#flushedAt = clock.now();
  }

  /** Is it time to {@link flush}? */
  get isFlushDue(): boolean {
    return this.clock.now() - this.#flushedAt >= this.flushIntervalMs;
  }

  /** Writes all activity that is not written yet, in slices. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  /** When the flush that is under way, if any, has ended. Never rejects. */
  async flushed(): Promise<void> {
    await this.#flushing?.catch(() => undefined);
  }

  /**
   * Writes overdue activity, together with what else is overdue in this turn of the event loop. Rejects if the store
   * fails.
   */
  write(sessionId: string): Promise<void> {
    this.#batch ??= this.#begin();
    this.#batch.sessionIds.add(sessionId);
    return this.#batch.done;
  }

  /** As {@link write}, where no request waits for it, and a store that fails is not asked once more by each of them. */
  writeUnawaited(sessionId: string): void {
    if (this.health.isFailing) return;
    if (!this.#batch) {
      this.#batch = this.#begin();
      const written = this.#batch.done.catch((error: unknown) => this.health.failed('flush', error));
      this.#unawaited.add(written);
      void written.then(() => this.#unawaited.delete(written));
    }
    this.#batch.sessionIds.add(sessionId);
  }

  /** Sessions for whose end somebody waits, and whose records a shared store was found not to have since the last call. */
  takeLost(): string[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  #begin(): Batch {
    const sessionIds = new Set<string>();
    const done = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.#batch = undefined;
      const living = [...sessionIds].filter((sessionId) => this.watched.has(sessionId));
      for (const sessionId of living) this.watched.clearDirty(sessionId);
      return this.#write(living);
    });
    return { sessionIds, done };
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
      const { life, lastActivityAt } = withoutAllowance(this.watched.get(sessionId)!);
      return { id, life, lastActivityAt };
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
      const lives = new Map(updates.map(({ id, life }) => [id, life]));
      for (const id of gone) {
        const sessionId = byId.get(id)!;
        // Somebody may have signed in under the same id meanwhile.
        if (this.watched.lifeOf(sessionId) !== lives.get(id)) continue;
        if (this.#isShared) this.gone.set(id, { sessionId, session: this.watched.get(sessionId)! });
        this.watched.remove(sessionId);
        // The record has been lost, and nobody else will say so; unless a shared store is about to tell of an end.
        if (!this.#isShared) this.announcements.tellWaiting(id, 'revoked');
        else if (this.announcements.isAwaited(id)) this.#lost.push(sessionId);
      }
      this.health.succeeded();
    } catch (error) {
      for (const sessionId of byId.values()) this.watched.markDirty(sessionId);
      throw error;
    }
  }
}
