import type { EndReason } from './activity-record.js';
import { type ActivityStore, type DueRecord, forgiveCorrupt } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Deadlines } from './deadlines.js';
import { diagnostics } from './diagnostics.js';
import type { Rotations } from './rotations.js';
import type { SessionBeginnings } from './session-beginnings.js';
import type { SessionEndings } from './session-endings.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import type { StoreDebts } from './store-debts.js';
import type { Tombstones } from './tombstones.js';
import type { WatchedSessions } from './watched-sessions.js';

/** Sessions settled between two turns of the event loop. */
const SLICE = 100;

/** Deadlines of a process that has its records to itself: memory proposes, the store confirms. */
export class LocalDeadlines implements Deadlines {
  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly tombstones: Tombstones,
    private readonly rotations: Rotations,
    private readonly finder: SessionFinder,
    private readonly beginnings: SessionBeginnings,
    private readonly announcements: Announcements,
    private readonly debts: StoreDebts,
    private readonly endings: SessionEndings,
  ) {}

  async work(now: number): Promise<void> {
    let due = 0;
    /** Whose blobs are still in the store; the grave keeps everybody from them, so they wait until all ends are told. */
    const ended: string[] = [];
    for (let more = true; more;) {
      const at = this.clock.now();
      const batch = await this.store.due(at, SLICE);
      due += batch.due.length;
      for (const record of batch.due) if (this.#pass(record, at)) ended.push(record.sessionId!);
      if (!batch.more) await Promise.all(ended.splice(-SLICE).map((id) => this.debts.removeBlob(id)));
      more = batch.more || ended.length > 0;
      if (more) await new Promise((resolve) => setImmediate(resolve));
    }
    if (due > 0) {
      diagnostics.deadlines.publish({ due, durationMs: this.clock.now() - now, watched: this.watched.size });
    }
  }

  async settle(sessionId: string): Promise<EndReason | undefined> {
    const life = this.watched.lifeOf(sessionId);
    const stored = await this.store.find(this.references.ofSession(sessionId)).catch(forgiveCorrupt);
    // Somebody may have signed in under the same id meanwhile.
    await this.beginnings.over(sessionId);
    if (this.watched.lifeOf(sessionId) !== life) return undefined;
    const now = this.clock.now();
    if (stored?.life === life) this.watched.learn(sessionId, stored!, now);
    const verdict = this.watched.verdict(sessionId, now);
    if (verdict && verdict.phase !== 'expired') return undefined;
    const reason = verdict?.reason ?? this.tombstones.find(sessionId)?.reason ?? 'idle';
    await this.endings.end(sessionId, reason);
    return reason;
  }

  /** Tells of one passed boundary; answers whether it has ended a session whose blob is to be removed. */
  #pass({ kind, reason, dueAt, record, sessionId }: DueRecord, at: number): boolean {
    if (kind === 'warn') {
      this.announcements.tell({ kind, record, at, dueAt, reason });
      return false;
    }
    if (sessionId !== undefined) {
      // Somebody has signed in under its id while the store was asked, and has been told to take its place.
      if (this.#isReplaced(sessionId, record.life)) return false;
      if (kind === 'expire') this.tombstones.bury(sessionId, reason);
      this.finder.forget(sessionId);
    }
    if (kind === 'gone') {
      this.announcements.tellWaiting(record.id, reason);
      return false;
    }
    if (sessionId === undefined) {
      this.announcements.tellEnd(record, reason, dueAt);
      return false;
    }
    // It is just being carried over; its time will be over under the new id too.
    const successors = this.rotations.successorsOf(sessionId);
    if (successors.some((successor) => this.endings.isInUse(successor))) return false;
    if (this.tombstones.tellOnce(sessionId)) this.announcements.tellEnd(record, reason, dueAt);
    return true;
  }

  #isReplaced(sessionId: string, life: number): boolean {
    const present = this.watched.lifeOf(sessionId);
    return present !== undefined && present !== life;
  }
}
