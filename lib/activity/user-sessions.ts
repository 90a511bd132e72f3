import { judge, type Limits } from '../policy/index.js';
import type { EndReason } from './activity-record.js';
import type { ActivityStore, FoundSession } from './activity-store.js';
import type { ActivityTracker } from './activity-tracker.js';
import type { Clock } from './clock.js';
import type { SessionReferences } from './session-reference.js';
import type { WatchedSessions } from './watched-sessions.js';

/** How many sessions a user may have at once, and what happens to one too many. ASVS 5.0 7.1.2. */
export interface SessionAllowance {
  /** `null`: any number. */
  readonly maxSessionsPerUser: number | null;
  /** `end-oldest`: room is made; `refuse`: the new sign-in is. */
  readonly onTooManySessions: 'end-oldest' | 'refuse';
}

/** A sign-in was refused because the user has as many sessions as the application allows. */
export class TooManySessionsError extends Error {
  readonly code = 'SESSION_SECURITY_TOO_MANY_SESSIONS';

  constructor(readonly maxSessionsPerUser: number) {
    super(`This user has ${maxSessionsPerUser} sessions already, which is as many as are allowed.`);
    this.name = 'TooManySessionsError';
  }
}

/** A live session as it may be shown; durations in seconds, instants in epoch milliseconds. */
export interface LiveSession {
  /** Keyed hash of the session id. */
  readonly session: string;
  readonly userId?: string;
  /** The kind of browser that signed in, such as "Firefox on Windows". */
  readonly device?: string;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly idleFor: number;
  readonly warnIn: number;
  readonly expireIn: number;
  readonly limits: Limits;
}

/** The sessions of a user, taken together: listed, ended, limited in number. */
export class UserSessions {
  /** The last sign-in of each user that waits for its turn or has it. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Records of sign-ins that have been stored and are not admitted yet. */
  readonly #candidates = new Set<string>();

  constructor(
    private readonly tracker: ActivityTracker,
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly allowance: SessionAllowance,
  ) {}

  /** The live sessions of one user, or of all that this process knows; oldest first. */
  async list(userId?: string): Promise<LiveSession[]> {
    await this.tracker.recovered();
    const now = this.clock.now();
    const found = userId === undefined ? this.#known() : await this.store.ofUser(userId);
    return oldestFirst(found).flatMap(({ record }) => shown(record, now));
  }

  /** Ends the session that {@link list} calls so, if it is this user's; answers whether there was one. */
  async endOne(userId: string, reference: string, reason: EndReason): Promise<boolean> {
    await this.tracker.recovered();
    const found = (await this.store.ofUser(userId)).find(({ record }) => record.id === reference);
    return found !== undefined && this.tracker.endFound(found, reason);
  }

  /** Ends every session of a user, but for one if so wished; answers how many. */
  async endAll(userId: string, reason: EndReason, exceptSessionId?: string): Promise<number> {
    const calledAt = this.clock.now();
    const spared = exceptSessionId === undefined ? undefined : this.references.ofSession(exceptSessionId);
    const sparedLife = exceptSessionId === undefined ? undefined : this.watched.lifeOf(exceptSessionId);
    // What is spared may just be going on under another id.
    const goesOn = ({ record }: FoundSession): boolean => record.id === spared || record.life === sparedLife;
    const beginning = this.tracker.beginningOf(userId).filter((session) => !goesOn(session));
    // Dead from this call on, however long the store takes to begin them.
    for (const { sessionId } of beginning) this.tracker.bury(sessionId, reason);
    const revocation = { at: calledAt, reason, sparedLife, carriedOut: 0 };
    // A shared store knows all of them.
    if (!this.tracker.isShared) this.tracker.revoke(userId, revocation);
    let ended = 0;
    // One after the other: ten thousand sessions of one user must not keep everybody else waiting.
    for (const session of await this.store.ofUser(userId)) {
      if (session.record.id !== spared && (await this.tracker.endFound(session, reason))) ended++;
    }
    for (const session of beginning) if (await this.tracker.endFound(session, reason)) ended++;
    await this.tracker.recovered();
    await this.tracker.keepRevocation(userId, revocation);
    return ended + revocation.carriedOut;
  }

  /**
   * Holds the user of a session that has just begun to the allowed number of sessions.
   *
   * @throws {TooManySessionsError} if this session is the one too many; it has been ended then.
   */
  async makeRoom(sessionId: string): Promise<void> {
    const { maxSessionsPerUser } = this.allowance;
    const userId = this.watched.get(sessionId)?.userId;
    if (maxSessionsPerUser === null || userId === undefined) return;
    const id = this.references.ofSession(sessionId);
    this.#candidates.add(id);
    await this.#inTurn(userId, async () => {
      try {
        await this.#admit(sessionId, id, userId, maxSessionsPerUser);
      } finally {
        this.#candidates.delete(id);
      }
    });
  }

  /**
   * Goes on with a session whose id was given up under its new id. If a parallel request has given it another, and its
   * user has as many sessions as are allowed, it goes on under that one alone.
   *
   * @returns the id under which it goes on; `undefined` if it has ended meanwhile.
   */
  async carry(from: string, to: string): Promise<string | undefined> {
    const { maxSessionsPerUser: max } = this.allowance;
    const carry = async (): Promise<string | undefined> =>
      (await this.tracker.carry(from, to)) ? to : undefined;
    if (max === null || !this.tracker.isCarried(from)) return carry();
    await this.tracker.carried(from);
    const successor = this.tracker.successorOf(from);
    const userId = successor === undefined ? undefined : this.watched.get(successor)?.userId;
    if (userId === undefined) return carry();
    return this.#inTurn(userId, async () =>
      (await this.#living(userId)).length < max ? carry() : this.tracker.successorOf(from),
    );
  }

  /** One after the other for each user: two that looked at the same time would each miss the other. */
  async #inTurn<Result>(userId: string, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#turns.get(userId) ?? Promise.resolve()).then(work);
    const turn = result.then(ignore, ignore);
    this.#turns.set(userId, turn);
    try {
      return await result;
    } finally {
      if (this.#turns.get(userId) === turn) this.#turns.delete(userId);
    }
  }

  async #living(userId: string): Promise<FoundSession[]> {
    await this.tracker.recovered();
    const now = this.clock.now();
    return oldestFirst(await this.store.ofUser(userId)).filter(({ record }) => shown(record, now).length > 0);
  }

  async #admit(sessionId: string, id: string, userId: string, max: number): Promise<void> {
    const living = await this.#living(userId);
    if (this.allowance.onTooManySessions === 'end-oldest') {
      for (const session of living.slice(0, -max)) await this.tracker.endFound(session, 'replaced');
      return;
    }
    const position = living.findIndex(({ record }) => record.id === id);
    if (position === -1) return;
    // Who began later may have been stored sooner, and has been admitted then. Of what begins on other processes only the
    // order is known.
    const admitted = living.filter(
      ({ record, sessionId: ownId }, index) =>
        !this.#candidates.has(record.id) &&
        (index < position || (ownId !== undefined && this.watched.has(ownId))),
    );
    if (admitted.length < max) return;
    await this.tracker.end(sessionId, 'revoked');
    throw new TooManySessionsError(max);
  }

  #known(): FoundSession[] {
    return [...this.watched.sessionIds()].map((sessionId) => ({
      sessionId,
      record: { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! },
    }));
  }
}

function ignore(): void {
  // Who waits for a turn only waits for it to be over.
}

function oldestFirst(found: FoundSession[]): FoundSession[] {
  return [...found].sort(
    (one, other) => one.record.startedAt - other.record.startedAt || one.record.life - other.record.life,
  );
}

/** The session as it may be shown, or nothing if its time is over. */
function shown(record: FoundSession['record'], now: number): LiveSession[] {
  const { id: session, userId, device, startedAt, limits } = record;
  const { phase, warnAt, expireAt, lastActivityAt } = judge(limits, record, now);
  if (phase === 'expired') return [];
  return [
    {
      session,
      ...(userId === undefined ? {} : { userId }),
      ...(device === undefined ? {} : { device }),
      startedAt,
      lastActivityAt,
      idleFor: (now - lastActivityAt) / 1000,
      warnIn: Math.max(0, warnAt - now) / 1000,
      expireIn: (expireAt - now) / 1000,
      limits,
    },
  ];
}
