import { isSameUser } from '../activity/activity-record.js';
import type { ActivityTracker } from '../activity/activity-tracker.js';
import { TooManySessionsError, type UserSessions } from '../activity/user-sessions.js';
import type { Withdrawal } from '../activity/withdrawals.js';
import type { SessionSecurityRequest } from '../options/index.js';
import type { RequestState } from './request-state.js';
import type { RequestOutcomes } from './request-outcomes.js';
import { eraseMarker, readMarker } from './session-marker.js';
import type { GivenUpId, RequestSession, SessionAbsence, SessionPlatform } from './session-platform.js';
import type { SetupAdvisor } from './setup-advisor.js';
import type { SignedIn, SignIn } from './sign-in.js';

/** Settles, when a handler has answered, what it changed: who is signed in, and under which session id. */
export class SessionSettlement {
  constructor(
    private readonly tracker: ActivityTracker,
    private readonly platform: SessionPlatform,
    private readonly signIn: SignIn,
    private readonly users: UserSessions,
    private readonly advisor: SetupAdvisor,
    private readonly outcomes: RequestOutcomes,
  ) {}

  /**
   * After the handler: a sign-in starts both clocks, a sign-out or a new session id ends or moves the record.
   * Works once per change; safe to call again. Answers a promise only if there is something to wait for.
   */
  settle(request: SessionSecurityRequest, state: RequestState): Promise<void> | undefined {
    if (state.unsettled) return undefined;
    try {
      const session = this.platform.sessionOf(request);
      const asked = typeof session === 'string' ? null : this.signIn.ask(request);
      if (!(asked instanceof Promise) && this.#isUnchanged(state, session, asked)) return undefined;
      return this.#settleChange(request, state, session, asked);
    } catch (error) {
      this.advisor.undecided(error);
      return undefined;
    }
  }

  /** A session id is being given up within a request: it is not known yet what becomes of the session. */
  rotate(
    request: SessionSecurityRequest,
    state: RequestState,
    { sessionId, life, isInUse }: GivenUpId,
    through: Promise<void>,
  ): void {
    if (isInUse) state.rotatedFrom = sessionId;
    if (life !== undefined) state.former = { sessionId, life };
    this.platform.beforeEnd(request, () => this.settle(request, state)?.catch(() => undefined));
    // Raw handlers pass no interceptor, callbacks may come after it, and handlers may throw: then the end of the response
    // settles it; but a browser that gives up may end the response before the new id is there.
    this.platform.afterResponse(
      request,
      () => void through.then(() => this.settle(request, state)).catch(() => undefined),
    );
  }

  /** The same user is signed in in the same session, which has not ended; or there is none, as before. */
  #isUnchanged(
    { rotatedFrom, movedId }: RequestState,
    session: RequestSession | SessionAbsence,
    signedIn: SignedIn,
  ): boolean {
    if (rotatedFrom !== undefined || movedId !== undefined) return false;
    if (typeof session === 'string') return session !== 'loose';
    return !this.tracker.tombstone(session.id) && this.outcomes.isAsRemembered(session, signedIn);
  }

  async #settleChange(
    request: SessionSecurityRequest,
    state: RequestState,
    session: RequestSession | SessionAbsence,
    asked: SignedIn | Promise<SignedIn>,
  ): Promise<void> {
    try {
      await this.#settle(request, state, session, await asked);
    } catch (error) {
      if (error instanceof TooManySessionsError) throw this.outcomes.turnAway(request, state, error);
      // Not watched yet; the next request sees the session for the first time.
      state.unsettled = true;
      this.advisor.undecided(error);
    }
  }

  async #settle(
    request: SessionSecurityRequest,
    state: RequestState,
    session: RequestSession | SessionAbsence,
    signedIn: SignedIn,
  ): Promise<void> {
    const present = typeof session === 'string' ? undefined : session;
    if (state.movedId !== undefined && !signedIn && leaves(request, session))
      return this.outcomes.endWithheld(state, state.movedId, 'logout');
    if (signedIn && present) await this.#replaceMoved(state, present);
    // The new id is not there yet.
    if (present && present.id === state.rotatedFrom) return;
    const former = signedIn && present ? formerOf(state, present) : undefined;
    const found = former && (await this.tracker.findWithdrawal(former.sessionId, former.life));
    await this.#settleRotation(state, signedIn ? present : undefined);
    if (session === 'loose') return this.#settleFollowed(request, state);
    if (!present) return;
    // A parallel request may just be signing somebody else in: then what this one has read is over.
    await this.tracker.begun(present.id);
    if (this.tracker.tombstone(present.id)) return this.#outlived(request, present, signedIn !== null);
    const watched = this.tracker.recall(present.id);
    const marker = readMarker(present.data);
    // A copy of a session that has ended while the handler ran is as dead as that one.
    if (marker && marker.life !== watched?.life) return this.platform.letGo(request);
    // Without the marker, the session was read before somebody signed in beside this request.
    if (!signedIn) return marker && this.outcomes.forget(present, state, 'logout');
    if (watched && isSameUser(watched.userId, signedIn.userId)) return;
    const withdrawal = found ?? (former && this.tracker.withdrawal(former.sessionId, former.life));
    if (withdrawal && isSameUser(withdrawal.userId, signedIn.userId))
      return this.#drop(request, state, present, withdrawal);
    if (!(await this.outcomes.start(request, present, state, signedIn.userId))) this.platform.letGo(request);
  }

  async #settleRotation(state: RequestState, successor: RequestSession | undefined): Promise<void> {
    const { rotatedFrom } = state;
    if (rotatedFrom === undefined) return;
    delete state.rotatedFrom;
    const life = this.tracker.tombstone(rotatedFrom)?.rotation?.session.life;
    // An application that rotates the id copies the session's data, and our marker with it; a sign-in does not.
    if (!successor || readMarker(successor.data)?.life !== life) {
      await this.tracker.end(rotatedFrom, successor ? 'replaced' : 'logout');
      return;
    }
    try {
      const sessionId = await this.users.carry(rotatedFrom, successor.id);
      if (sessionId === undefined) return;
      this.outcomes.watch(state, sessionId);
      // What the application may have saved under an id of its own is nobody's.
      if (sessionId !== successor.id) await this.tracker.end(successor.id, 'replaced');
    } catch (error) {
      // Without a record the marker would be a death sentence; the next request sees the session for the first time.
      eraseMarker(successor.data);
      await this.tracker.end(rotatedFrom, 'replaced');
      throw error;
    }
  }

  /** A sign-in ends the session before it also where that goes on under an id that this request has not come with. */
  async #replaceMoved(state: RequestState, { id, data }: RequestSession): Promise<void> {
    const { movedId, outcome, sessionId, life, rotatedFrom } = state;
    if (movedId !== undefined) return this.outcomes.endWithheld(state, movedId, 'replaced');
    if (outcome !== 'watched' || sessionId === undefined || sessionId === id) return;
    if (rotatedFrom !== undefined || readMarker(data) || this.tracker.lifeOf(sessionId) !== life) return;
    await this.tracker.end(sessionId, 'replaced');
  }

  /** A sign-out counts also where the request goes on with a session under its new id. */
  async #settleFollowed(
    request: SessionSecurityRequest,
    { outcome, sessionId, life }: RequestState,
  ): Promise<void> {
    if (outcome !== 'watched' || sessionId === undefined || (await this.signIn.ask(request))) return;
    // Somebody else may have signed in under this id since.
    const present = this.tracker.recall(sessionId);
    if (present === undefined || present.life === life) await this.tracker.end(sessionId, 'logout');
  }

  /**
   * The user signed out, or was signed out, while the handler ran, which has taken them along under another session id: that
   * is no sign-in, and what the application may have saved there is nobody's.
   */
  async #drop(
    request: SessionSecurityRequest,
    state: RequestState,
    session: RequestSession,
    { reason }: Withdrawal,
  ): Promise<void> {
    this.platform.letGo(request);
    await this.tracker.end(session.id, reason ?? 'revoked');
    // Middleware has done it, and handlers are still to come.
    if (state.outcome === 'unwatched') this.outcomes.abandon(request, state, session.id);
  }

  /**
   * The session ended, or was given another id, while the handler ran: the request is answered as it would have been,
   * but it writes nothing, and leaves the browser the cookie that it has by now.
   */
  async #outlived(
    request: SessionSecurityRequest,
    session: RequestSession,
    authenticated: boolean,
  ): Promise<void> {
    this.platform.letGo(request);
    const { life } = this.tracker.tombstone(session.id) ?? {};
    // Who was there then may have taken the place of this request's user.
    const isOwn = (readMarker(session.data)?.life ?? life) === life;
    if (!authenticated && isOwn && this.tracker.isInUse(session.id))
      await this.tracker.end(session.id, 'logout');
  }
}

/**
 * Has a request with the cookie of before a rotation signed out? To destroy what stands in for the session is that; to
 * regenerate it may be one of two rotations at once, unless the user has been taken away first, as Passport does it.
 */
function leaves({ user }: SessionSecurityRequest, session: RequestSession | SessionAbsence): boolean {
  return session === 'missing' || (typeof session !== 'string' && user === null);
}

/** The session with which a request came, if it has been given up for one that does not go on with it. */
function formerOf(
  { outcome, sessionId, life, former }: RequestState,
  { id, data }: RequestSession,
): RequestState['former'] {
  if (readMarker(data)) return undefined;
  if (former) return former;
  if (outcome !== 'watched' || sessionId === undefined || life === undefined) return undefined;
  return sessionId === id ? undefined : { sessionId, life };
}
