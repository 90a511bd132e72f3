import { judge } from '../policy/index.js';
import type { EndReason } from './activity-record.js';
import { forgiveCorrupt } from './activity-store.js';
import type { ActivityWriter } from './activity-writer.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Deadlines } from './deadlines.js';
import type { Rotations } from './rotations.js';
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
/** How often a session is asked for at most whose end somebody waits for under another id, and how many of them at once. */
const ASK_AGAIN_MS = 1000;
const ASKED_PER_TICK = 100;
/** Sessions looked at in memory between two turns of the event loop. */
const MEMORY_SLICE = 200;

/** Deadlines of processes that share a store: the store judges, and tells everybody. */
export class SharedDeadlines implements Deadlines {
  /** Sessions whose records the store was found not to have, and for whose end somebody waits. */
  readonly #lost = new Set<string>();
  /**
   * Records with which sessions go on that other processes have given another id, as long as somebody here waits for their
   * end: when the store is to be asked for each, by the clock.
   */
  readonly #followed = new Map<string, number>();

  constructor(
    private readonly store: SharedActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly tombstones: Tombstones,
    private readonly rotations: Rotations,
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
      const gone = [...this.writer.gone.keys()];
      for (let more = true; more;) {
        ({ more } = await this.store.due(now, CLAIM_SLICE));
        this.#hearNews();
        if (more) await new Promise((resolve) => setImmediate(resolve));
      }
      // What has become of these has been told before they were found gone, and heard by now.
      for (const id of gone) this.writer.gone.delete(id);
      await this.#tellLost();
      await this.#tellFollowed(now);
      this.health.regained(this.store.failures());
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
    // Who waits for its end waits for that under its new id, as soon as that is heard of.
    const goesOn = reason === 'replaced' && (await this.store.goesOn(id, 0));
    if (!goesOn) this.announcements.tellWaiting(id, reason);
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
        // Where it goes on is not known here: but it does, and can be ended.
        if (signal.kind === 'moved') this.rotations.rotate(sessionId);
        if (signal.kind === 'end' && !keepsBlob) this.tombstones.bury(sessionId, signal.reason);
        this.finder.forget(sessionId);
      } else if (signal.kind === 'moved') {
        const gone = this.writer.gone.get(signal.record.id);
        if (gone?.session.life === signal.record.life) this.rotations.rotate(gone.sessionId, gone.session);
      }
      if (signal.kind === 'end') this.announcements.tellWaiting(signal.record.id, signal.reason);
      if (signal.kind === 'moved') this.#follow(signal.record.id, signal.to);
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

  /** Who waits for the end of a session waits for it under its new id. */
  #follow(id: string, to: string | undefined): void {
    if (to === undefined || !this.announcements.isAwaited(id)) return;
    this.announcements.passOn(id, to);
    // That end may have been heard of before.
    this.#followed.set(to, -Infinity);
  }

  /** Lets those go on who wait for an end that has been told already, or that nobody will tell because the record is lost. */
  async #tellFollowed(now: number): Promise<void> {
    for (const id of this.#followed.keys()) if (!this.announcements.isAwaited(id)) this.#followed.delete(id);
    const due = [...this.#followed].filter(([, askAt]) => askAt <= now).slice(0, ASKED_PER_TICK);
    // What cannot be told now is asked again.
    await Promise.all(due.map(([id]) => this.#ask(id).catch(() => undefined)));
  }

  async #ask(id: string): Promise<void> {
    const expiry = await this.store.expire(id);
    if (expiry.state === 'alive') {
      const { expireAt } = judge(expiry.record.limits, expiry.record, this.clock.now());
      this.#followed.set(id, Math.max(expireAt, this.clock.now() + ASK_AGAIN_MS));
      return;
    }
    const grave = expiry.state === 'gone' ? await this.store.grave(id) : undefined;
    this.announcements.tellWaiting(
      id,
      expiry.state === 'ended' ? expiry.reason : (grave?.reason ?? 'revoked'),
    );
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
