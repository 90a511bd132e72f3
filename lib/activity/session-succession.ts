import { withoutAllowance } from './activity-record.js';
import type { ActivityStore } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Rotations } from './rotations.js';
import type { SessionBeginnings } from './session-beginnings.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import { SharedActivityStore } from './shared-activity-store.js';
import type { StoreDebts } from './store-debts.js';
import type { Rotation, Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** How a session goes on under another id. */
export class SessionSuccession {
  readonly #shared: SharedActivityStore | undefined;

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
  ) {
    this.#shared = store instanceof SharedActivityStore ? store : undefined;
  }

  /**
   * Goes on with a session whose id was given up under its new id: its life, its sign-in and its last activity stay what
   * they were. When parallel requests gave the same id up, it goes on under each of their new ids, and a sign-out ends
   * them all; but where a store is shared, under the one that this store is told of first, on whichever process.
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
      await this.beginnings.keep(to, record, { silent: isFirst || this.#shared !== undefined });
    } catch (error) {
      successors.splice(successors.indexOf(to), 1);
      throw error;
    }
    if (this.#shared) {
      await this.#moveTogether(this.#shared, from, to, successors);
    } else if (isFirst) {
      this.#handOver(from, to);
      await this.store
        .end(this.references.ofSession(from), 'replaced')
        .catch((error: unknown) => this.debts.owe(from, { end: 'replaced' }, error));
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

  /** The session goes on under its new id, unless the store says otherwise. */
  async #moveTogether(
    shared: SharedActivityStore,
    from: string,
    to: string,
    successors: string[],
  ): Promise<void> {
    const id = this.references.ofSession(to);
    let goesOnAs: string | undefined;
    try {
      goesOnAs = await shared.move(this.references.ofSession(from), id);
    } catch (error) {
      this.debts.owe(from, { movedTo: id }, error);
      this.#handOver(from, to);
      return this.watched.markDirty(to);
    }
    if (goesOnAs === id) {
      this.#handOver(from, to);
      return this.#confirm(shared, to);
    }
    successors.splice(successors.indexOf(to), 1);
    await this.#giveUp(shared, to, goesOnAs);
  }

  /** The session is in use under its new id: until that is said, the store does not take it for certain. */
  async #confirm(shared: SharedActivityStore, sessionId: string): Promise<void> {
    const session = this.watched.get(sessionId);
    if (!session) return;
    const id = this.references.ofSession(sessionId);
    const { life, lastActivityAt } = withoutAllowance(session);
    const gone = await shared.touch([{ id, life, lastActivityAt }]).catch(() => [id]);
    // It is said again, and heard what has become of it, with the next flush.
    if (gone.length > 0) this.watched.markDirty(sessionId);
  }

  /** Nothing is left of the session under the old id. */
  #handOver(from: string, to: string): void {
    this.rotations.inheritSiblings(from, to);
    const last = this.finder.forget(from);
    if (last) this.watched.touch(to, withoutAllowance(last).lastActivityAt, this.clock.now());
    this.announcements.passOn(this.references.ofSession(from), this.references.ofSession(to));
  }

  /** The session has ended, or goes on with another record: nobody was told that it would under this id. */
  async #giveUp(shared: SharedActivityStore, sessionId: string, goesOnAs: string | undefined): Promise<void> {
    const id = this.references.ofSession(sessionId);
    this.tombstones.bury(sessionId, 'replaced');
    this.finder.forget(sessionId);
    try {
      await shared.move(id, goesOnAs);
      await this.debts.removeBlob(sessionId);
    } catch (error) {
      this.debts.owe(sessionId, { end: 'replaced', blob: true }, error);
    }
  }
}
