import type { EndReason } from './activity-record.js';
import { forgiveCorrupt } from './activity-store.js';
import type { ActivityWriter } from './activity-writer.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Deadlines } from './deadlines.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import type { News, SharedActivityStore } from './shared-activity-store.js';
import type { StoreDebts } from './store-debts.js';
import type { StoreHealth } from './store-health.js';
import type { Tombstones } from './tombstones.js';
import type { WatchedSessions } from './watched-sessions.js';

/** Sessions that the store settles between two turns of the event loop. */
const CLAIM_SLICE = 500;
/** As many as most users have. */
const FEW_SESSIONS = 4;
/** Sessions looked at in memory between two turns of the event loop. */
const MEMORY_SLICE = 200;

/** Deadlines of processes that share a store: the store judges, and tells everybody. */
export class SharedDeadlines implements Deadlines {
  /** Sessions whose records the store was found not to have. */
  readonly #lost = new Set<string>();

  constructor(
    private readonly store: SharedActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly tombstones: Tombstones,
    private readonly finder: SessionFinder,
    private readonly writer: ActivityWriter,
    private readonly announcements: Announcements,
    private readonly debts: StoreDebts,
    private readonly health: StoreHealth,
  ) {}

  async work(now: number): Promise<void> {
    try {
      // First what this process knows, so that nothing is judged without it.
      await this.writer.flush();
      for (let more = true; more;) {
        ({ more } = await this.store.due(now, CLAIM_SLICE));
        this.#hearNews();
        if (more) await new Promise((resolve) => setImmediate(resolve));
      }
      await this.#tellLost();
      this.health.regained();
    } catch (error) {
      this.#hearNews();
      this.health.lost(error);
    }
    await this.#forgetExpired(now);
  }

  async settle(sessionId: string): Promise<EndReason | undefined> {
    const id = this.references.ofSession(sessionId);
    const expiry = await this.store.expire(id);
    if (expiry.state === 'alive') {
      this.watched.learn(sessionId, expiry.record, this.clock.now());
      return undefined;
    }
    const tombstone = expiry.state === 'gone' ? await this.finder.findTombstone(sessionId) : undefined;
    const reason = expiry.state === 'ended' ? expiry.reason : (tombstone?.reason ?? 'idle');
    this.tombstones.bury(sessionId, reason);
    this.finder.forget(sessionId);
    this.announcements.tellWaiting(id, reason);
    await this.debts.removeBlob(sessionId);
    return reason;
  }

  /** Takes in what happened to sessions, on whichever process. */
  #hearNews(): void {
    for (const news of this.store.takeNews()) {
      const { signal, keepsBlob } = news;
      const isOver = signal.kind === 'end' || signal.kind === 'moved';
      const sessionId = isOver && this.watched.size > 0 ? this.#sessionIdOf(news) : undefined;
      if (sessionId !== undefined && this.watched.lifeOf(sessionId) === signal.record.life) {
        if (!keepsBlob) this.tombstones.bury(sessionId, signal.kind === 'end' ? signal.reason : null);
        this.finder.forget(sessionId);
      }
      if (signal.kind === 'end') this.announcements.tellWaiting(signal.record.id, signal.reason);
      if (signal.kind !== 'moved') this.announcements.signals.next(signal);
    }
  }

  /** To know the session again among those of its user that are remembered costs less than to read its id. */
  #sessionIdOf(news: News): string | undefined {
    const { id, userId } = news.signal.record;
    if (userId === undefined) return news.sessionId;
    const remembered = this.watched.sessionIdsOf(userId);
    if (remembered.length > FEW_SESSIONS) return news.sessionId;
    return remembered.find((sessionId) => this.references.ofSession(sessionId) === id);
  }

  /** Lets those go on who wait for an end that nobody will tell: the record is gone, and not by an end that is heard. */
  async #tellLost(): Promise<void> {
    for (const sessionId of this.writer.takeLost()) this.#lost.add(sessionId);
    for (const sessionId of this.#lost) {
      const id = this.references.ofSession(sessionId);
      // What has been heard meanwhile has been told.
      if (this.announcements.isAwaited(id) && !this.watched.has(sessionId)) {
        const tombstone = await this.finder.findTombstone(sessionId);
        const stored = tombstone ? undefined : await this.store.find(id).catch(forgiveCorrupt);
        // One that is stored is over, which will be told, or another life, which tells of the end of this one.
        if (!stored) this.announcements.tellWaiting(id, tombstone?.reason ?? 'revoked');
      }
      this.#lost.delete(sessionId);
    }
  }

  /**
   * Memory is a shadow of the shared store: what is over by memory is looked up again when it is asked for; at once if
   * somebody waits for its end, which nobody would tell if its record were lost.
   */
  async #forgetExpired(now: number): Promise<void> {
    for (let more = true; more;) {
      const slice = this.watched.due(now, MEMORY_SLICE);
      const expired = slice.due.filter(({ verdict }) => verdict.phase === 'expired');
      await Promise.all(expired.map(({ sessionId }) => this.#forget(sessionId, now)));
      more = slice.more;
    }
  }

  async #forget(sessionId: string, now: number): Promise<void> {
    if (!this.announcements.isAwaited(this.references.ofSession(sessionId))) {
      this.watched.remove(sessionId);
      return;
    }
    // It may live by what other processes know, or not be judged now: it is asked for again.
    this.watched.postpone(sessionId, now);
    await this.settle(sessionId).catch(() => undefined);
  }
}
