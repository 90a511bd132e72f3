import { judge } from '../policy/index.js';
import type { ActivityRecord, EndReason } from './activity-record.js';
import type { ActivityStore, FoundSession } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Rotations } from './rotations.js';
import type { SessionBeginnings } from './session-beginnings.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import type { StoreDebts } from './store-debts.js';
import type { Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** What stays of a session that has ended, if its id is to stay in use for an anonymous visitor. */
export interface Remains {
  /**
   * The id alone, where what the store holds does not carry the marker yet and would be taken for a new sign-in: the
   * request that ends the session writes it anew. Else the session's data too.
   */
  readonly keep?: 'id' | 'blob';
}

/** An end that is being worked off. */
interface EndUnderWay extends Remains {
  readonly done: Promise<ActivityRecord | undefined>;
}

/** How sessions are ended: buried, forgotten, removed from the store, and told of once. */
export class SessionEndings {
  /** What is under way, by session id. */
  readonly #underWay = new Map<string, EndUnderWay>();

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
  ) {}

  /** Its record is being removed, or still is to be: what the store finds of it is void. */
  has(sessionId: string): boolean {
    return this.#underWay.has(sessionId) || this.debts.of(sessionId)?.end !== undefined;
  }

  /** Is there anything of this session that could be ended: a life here, one that begins, or one under a new id? */
  isInUse(sessionId: string): boolean {
    return (
      this.watched.has(sessionId) ||
      this.beginnings.has(sessionId) ||
      this.rotations.living(sessionId) !== undefined
    );
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
    remains: Remains = {},
  ): Promise<ActivityRecord | undefined> {
    // A session id that stays in use for an anonymous session is not buried, it may be signed in to again.
    // And one that was given up for another keeps the reason for which the session has ended there.
    if (!remains.keep) this.tombstones.bury(sessionId, this.rotations.fateOf(sessionId)?.reason ?? reason);
    const underWay = this.#underWay.get(sessionId);
    if (underWay) {
      await underWay.done;
      if (remains.keep || !underWay.keep) return undefined;
    }
    const done = this.#end(sessionId, reason, remains);
    this.#underWay.set(sessionId, { done, ...remains });
    if (remains.keep) this.tombstones.leave(sessionId, reason, done);
    try {
      return await done;
    } finally {
      if (this.#underWay.get(sessionId)?.done === done) this.#underWay.delete(sessionId);
    }
  }

  /** Ends a session that the store found, whether or not this process knows its own id; answers whether it did. */
  async endFound({ record, sessionId }: FoundSession, reason: EndReason): Promise<boolean> {
    if (sessionId !== undefined) return (await this.end(sessionId, reason)) !== undefined;
    const ended = await this.store.end(record.id, reason);
    if (ended) this.announcements.tellEnd(ended, reason, this.clock.now());
    return ended !== undefined;
  }

  /** Somebody else has taken over one of the ids that parallel requests gave the same session. */
  async endSiblings(sessionId: string): Promise<void> {
    const siblings = this.rotations.siblingsOf(sessionId);
    this.rotations.forgetSiblings(sessionId);
    const others = siblings.filter((sibling) => sibling !== sessionId && this.isInUse(sibling));
    await Promise.all(others.map((other) => this.end(other, 'replaced')));
  }

  async #end(sessionId: string, reason: EndReason, remains: Remains): Promise<ActivityRecord | undefined> {
    // Begun but not stored yet: it begins first, so that its end can be told.
    await this.beginnings.over(sessionId);
    const now = this.clock.now();
    const timedOut = reason === 'idle' || reason === 'lifetime';
    const successors = this.rotations.successorsOf(sessionId);
    // Each sibling has an activity of its own, so that one can be idle while another is in use.
    const siblings = timedOut ? [] : this.rotations.siblingsOf(sessionId);
    const others = [...successors, ...siblings];
    const owed = this.debts.of(sessionId);
    const known = this.finder.forget(sessionId);
    // All at once: none of them is to be served until the store has removed another.
    const [ended, ...endedThere] = await Promise.all([
      this.#removeRecord(sessionId, reason, known, remains),
      ...others.filter((other) => this.isInUse(other)).map((other) => this.end(other, reason)),
    ]);
    // What goes on under another id ends there, and is told there.
    if (successors.length > 0) return endedThere.find((record) => record !== undefined);
    const isTold = known === undefined && owed?.end !== undefined && !owed.untold;
    if (!ended || isTold || !this.tombstones.tellOnce(sessionId)) {
      // Another has told of it, or its record is lost; whoever waits here is to go on all the same.
      this.announcements.tellWaiting(this.references.ofSession(sessionId), reason);
      return undefined;
    }
    const record = { ...ended, ...known };
    const dueAt = timedOut ? judge(record.limits, record, now).expireAt : now;
    this.announcements.tellEnd(record, reason, dueAt);
    return record;
  }

  async #removeRecord(
    sessionId: string,
    reason: EndReason,
    known: WatchedSession | undefined,
    { keep }: Remains,
  ): Promise<ActivityRecord | undefined> {
    const id = this.references.ofSession(sessionId);
    try {
      const ended = await this.store.end(id, reason, keep ? 'keep' : 'end');
      if (keep !== 'blob') await this.debts.removeBlob(sessionId);
      return ended;
    } catch (error) {
      this.debts.owe(sessionId, { end: reason, untold: known === undefined, blob: keep !== 'blob' }, error);
      return known && { id, ...known };
    } finally {
      // What could not be removed would bring the session back: rather nobody has the id any more.
      if (keep === 'id' && this.debts.of(sessionId)?.blob) this.tombstones.bury(sessionId, reason);
    }
  }
}
