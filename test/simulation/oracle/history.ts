import { SessionReferences } from '../../../lib/activity/session-reference.js';
import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { Claim, Life } from './life.js';

/** All lives of the world, to be found by what is seen of them: their session ids, or the hashes in events. */
export class History {
  readonly lives: Life[] = [];
  readonly #bySessionId = new Map<string, Life[]>();
  readonly #byReference = new Map<string, Life[]>();
  readonly #sessionIds = new Map<string, string>();
  /** The ids for which a session id was given up; several, if parallel requests gave up the same. */
  readonly #successors = new Map<string, string[]>();
  readonly #references = new SessionReferences();

  add(life: Life): void {
    this.lives.push(life);
    this.name(life, life.sessionId);
  }

  /** From now on the session id leads to this life. */
  name(life: Life, sessionId: string): void {
    listAt(this.#bySessionId, sessionId).push(life);
    const reference = this.referenceOf(sessionId);
    listAt(this.#byReference, reference).push(life);
    this.#sessionIds.set(reference, sessionId);
  }

  /** One session id was given up for another. */
  succeed(life: Life, from: string, to: string): void {
    this.name(life, to);
    listAt(this.#successors, from).push(to);
  }

  /** The last life under a session id; of one user, if two have signed in under the same. */
  bySessionId(sessionId: string | undefined, user?: string): Life | undefined {
    const lives = sessionId === undefined ? undefined : this.#bySessionId.get(sessionId);
    return user === undefined ? lives?.at(-1) : lives?.findLast((life) => life.user === user);
  }

  /** The last life under a session id that is not over, or the last of all. */
  livingUnder(sessionId: string | undefined): Life | undefined {
    const lives = sessionId === undefined ? undefined : this.#bySessionId.get(sessionId);
    return lives?.findLast(({ state }) => state === 'alive') ?? lives?.at(-1);
  }

  /** Where what was under a session id lives on: under this id, or under all those for which it was given up. */
  heirs(sessionId: string): Life[] {
    const own = this.bySessionId(sessionId);
    const successors = this.#successors.get(sessionId) ?? [];
    return [...new Set([...(own ? [own] : []), ...successors.flatMap((successor) => this.heirs(successor))])];
  }

  /** These lives, and what parallel rotations made of the same sessions. */
  families(lives: readonly Life[]): Life[] {
    const numbers = new Set(lives.map(({ family }) => family));
    return this.lives.filter(({ family }) => numbers.has(family));
  }

  claimedBy(claim: Claim): Life | undefined {
    return this.lives.find(({ claims }) => claims.includes(claim));
  }

  hasSuccessor(sessionId: string): boolean {
    return this.#successors.has(sessionId);
  }

  /** The life that an event speaks of: one session id may have seen several, of two people even in one millisecond. */
  ofEvent({ session, startedAt, userId }: AnySessionEvent): Life | undefined {
    const lives = this.byReference(session);
    return lives.findLast((life) => life.mayHaveStarted(startedAt) && life.user === userId);
  }

  /** A user's life that waits to be found begun. */
  beginning(reference: string, user: string | undefined): Life | undefined {
    return this.byReference(reference).findLast((life) => life.state === 'beginning' && life.user === user);
  }

  byReference(reference: string): readonly Life[] {
    return this.#byReference.get(reference) ?? [];
  }

  /** The session id that events call so, if there has been a life under it. */
  sessionIdOf(reference: string): string | undefined {
    return this.#sessionIds.get(reference);
  }

  referenceOf(sessionId: string): string {
    return this.#references.ofSession(sessionId);
  }
}

function listAt<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
