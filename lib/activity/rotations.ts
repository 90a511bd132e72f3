import type { Rotation, Tombstone, Tombstones } from './tombstones.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** Session ids that were given up for others: where their sessions go on, as far as memory knows. */
export class Rotations {
  /** Ids that parallel requests gave the same session, each with all of them. */
  readonly #siblings = new Map<string, readonly string[]>();

  constructor(
    private readonly watched: WatchedSessions,
    private readonly tombstones: Tombstones,
  ) {}

  /**
   * A request gives a session's id up for another. Nothing may read or write the session under the old id any more, but
   * it can still expire or be ended there until another id has taken it over.
   *
   * @param session as it was then; what is watched, if left out
   */
  rotate(sessionId: string, session = this.watched.get(sessionId)): void {
    if (session) this.tombstones.bury(sessionId, null, { rotation: { session, successors: [] } });
  }

  /** What became of a session whose id was given up, unless it is known to have ended there. */
  living(sessionId: string): Rotation | undefined {
    const tombstone = this.tombstones.find(sessionId);
    return tombstone?.reason === null ? tombstone.rotation : undefined;
  }

  /** The session has ended under this id, and that has been told. */
  isOver(sessionId: string): boolean {
    return this.tombstones.find(sessionId)?.told === true;
  }

  /** The ids for which this one was given up, but for those under which somebody else has signed in since. */
  successorsOf(sessionId: string): readonly string[] {
    const { successors = [], session } = this.tombstones.find(sessionId)?.rotation ?? {};
    return successors.filter((successor) =>
      [undefined, session?.life].includes(this.watched.lifeOf(successor)),
    );
  }

  /** This id, and all for which it was given up, one after the other. */
  lineageOf(sessionId: string): readonly string[] {
    const successors = this.successorsOf(sessionId);
    return [sessionId, ...successors.flatMap((successor) => this.lineageOf(successor))];
  }

  /** The id under which a session goes on whose id was given up, if it lives. */
  successorOf(sessionId: string): string | undefined {
    for (const successor of this.successorsOf(sessionId)) {
      const living = this.livingIdOf(successor);
      if (living !== undefined) return living;
    }
    return undefined;
  }

  /** The id under which a session lives: its own, or the one for which that was given up. */
  livingIdOf(sessionId: string): string | undefined {
    return this.watched.has(sessionId) ? sessionId : this.successorOf(sessionId);
  }

  /** What is known of a session under whichever id it lives. */
  find(sessionId: string): WatchedSession | undefined {
    const living = this.livingIdOf(sessionId);
    return living === undefined ? undefined : this.watched.get(living);
  }

  /** How a session ended, wherever it went when its id was given up; `undefined` while it goes on there, or is to. */
  fateOf(sessionId: string): Tombstone | undefined {
    const tombstone = this.tombstones.find(sessionId);
    const { successors } = this.living(sessionId) ?? {};
    if (!successors) return tombstone;
    if (this.livingIdOf(sessionId) !== undefined) return undefined;
    return successors.map((successor) => this.fateOf(successor)).find(Boolean) ?? tombstone;
  }

  /** Parallel requests gave the same session all these ids, some of which may have been given up for others since. */
  makeSiblings(givenIds: readonly string[]): void {
    const sessionIds = givenIds.flatMap((sessionId) => this.#presentIdsOf(sessionId));
    const family = new Set(sessionIds.flatMap((sessionId) => [sessionId, ...this.siblingsOf(sessionId)]));
    for (const sessionId of sessionIds) this.#siblings.set(sessionId, [...family]);
  }

  /** What is under an id now, or under those for which it was given up; it may just be beginning there. */
  #presentIdsOf(sessionId: string): readonly string[] {
    const successors = this.successorsOf(sessionId);
    if (this.watched.has(sessionId) || successors.length === 0) return [sessionId];
    return successors.flatMap((successor) => this.#presentIdsOf(successor));
  }

  /** The ids, this one among them, that parallel requests gave the same session. */
  siblingsOf(sessionId: string): readonly string[] {
    return this.#siblings.get(sessionId) ?? [];
  }

  /** One id takes the place of another among its siblings. */
  inheritSiblings(from: string, to: string): void {
    const siblings = this.#siblings.get(from);
    if (siblings) this.#siblings.set(to, siblings);
  }

  /** An id has no siblings any more. */
  forgetSiblings(sessionId: string): void {
    this.#siblings.delete(sessionId);
  }
}
