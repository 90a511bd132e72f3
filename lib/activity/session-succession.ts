import { withoutAllowance } from './activity-record.js';
import type { ActivityStore } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Rotations } from './rotations.js';
import type { SessionBeginnings } from './session-beginnings.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import type { StoreDebts } from './store-debts.js';
import type { Rotation } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** How a session goes on under another id. */
export class SessionSuccession {
  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly rotations: Rotations,
    private readonly finder: SessionFinder,
    private readonly beginnings: SessionBeginnings,
    private readonly announcements: Announcements,
    private readonly debts: StoreDebts,
  ) {}

  /**
   * Goes on with a session whose id was given up under its new id: its life, its sign-in and its last activity stay what
   * they were. When parallel requests gave the same id up, it goes on under each of their new ids, and a sign-out ends
   * them all.
   *
   * @returns whether it goes on; not if it has ended meanwhile.
   */
  async carry(from: string, to: string): Promise<boolean> {
    const rotation = this.rotations.living(from);
    const latest = rotation && this.#latestOf(from, rotation);
    if (!latest) return false;
    const { successors } = rotation;
    const isFirst = successors.push(to) === 1;
    const record = { ...latest, id: this.references.ofSession(to) };
    try {
      await this.beginnings.keep(to, record, { silent: isFirst });
    } catch (error) {
      successors.splice(successors.indexOf(to), 1);
      throw error;
    }
    if (isFirst) {
      await this.#handOver(from, to);
    } else {
      this.rotations.makeSiblings(successors);
      this.announcements.tell({ kind: 'start', record, at: this.clock.now() });
    }
    return this.watched.has(to);
  }

  /** What is known of a session whose id was given up, under whichever id it goes on; nothing if it has ended there. */
  #latestOf(sessionId: string, { session, successors }: Rotation): WatchedSession | undefined {
    const known = this.rotations.find(sessionId);
    if (known) return known.life === session.life ? known : undefined;
    return successors.some((successor) => this.beginnings.has(successor)) ? session : undefined;
  }

  /** The session goes on under its new id; nothing is left of it under the old one. */
  async #handOver(from: string, to: string): Promise<void> {
    this.rotations.inheritSiblings(from, to);
    const last = this.finder.forget(from);
    if (last) this.watched.touch(to, withoutAllowance(last).lastActivityAt, this.clock.now());
    const oldId = this.references.ofSession(from);
    this.announcements.passOn(oldId, this.references.ofSession(to));
    await this.store
      .end(oldId, 'replaced', 'move')
      .catch((error: unknown) => this.debts.owe(from, { end: 'replaced' }, error));
  }
}
