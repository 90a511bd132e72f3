import { Injectable } from '@nestjs/common';
import type { EndReason } from '../activity/activity-record.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { Clock } from '../activity/clock.js';
import { StoreFailure } from '../activity/store-calls.js';
import { TooManySessionsError, UserSessions } from '../activity/user-sessions.js';
import type { SessionSecurityRequest } from '../options/index.js';
import { SessionSecurityOptions } from '../options/index.js';
import { deviceOf } from './device.js';
import type { RequestState } from './request-state.js';
import { eraseMarker, readMarker, writeMarker } from './session-marker.js';
import { type RequestSession, type SessionAbsence, SessionPlatform } from './session-platform.js';
import { SetupAdvisor } from './setup-advisor.js';
import { type SignedIn, SignIn } from './sign-in.js';

/** What is known of a request is kept on it, where looking it up costs nothing. */
const STATE = Symbol('session-security');

type KnownRequest = SessionSecurityRequest & { [STATE]?: RequestState };

/**
 * Decides, for each request, whose session it is and whether it lives. Middleware, guard, interceptor and controllers
 * all ask here; what was found is remembered for the request, so asking again costs nothing.
 */
@Injectable()
export class SessionEnforcer {
  constructor(
    private readonly tracker: ActivityTracker,
    private readonly users: UserSessions,
    private readonly platform: SessionPlatform,
    private readonly signIn: SignIn,
    private readonly options: SessionSecurityOptions,
    private readonly advisor: SetupAdvisor,
    private readonly clock: Clock,
  ) {
    platform.onRotation((request, sessionId, through) => this.#rotate(request, sessionId, through));
  }

  /** The state found by the last {@link enforce} of this request. */
  stateOf(request: SessionSecurityRequest): RequestState {
    return (request as KnownRequest)[STATE] ?? { outcome: 'unwatched' };
  }

  /**
   * Makes sure that a session which is over is not used: it is ended, and the request goes on with an anonymous one.
   * Begins to watch a signed-in session at first sight. Answers at once where memory is enough, as it is for nearly
   * every request.
   */
  enforce(request: SessionSecurityRequest): RequestState | Promise<RequestState> {
    const state = this.#remember(request, this.stateOf(request));
    if (!this.#isOpen(state)) return state;
    try {
      const session = this.platform.sessionOf(request);
      if (typeof session === 'string') return this.#enforce(request, state, undefined);
      const asked = this.signIn.ask(request);
      if (asked instanceof Promise || !this.#livesForSure(session, asked))
        return this.#enforce(request, state, asked);
      this.#watch(state, session.id);
      return state;
    } catch (error) {
      this.#refuse(request, state, error);
      return state;
    }
  }

  /** @param asked who is signed in, if that has been asked already. */
  async #enforce(
    request: SessionSecurityRequest,
    state: RequestState,
    asked: SignedIn | Promise<SignedIn> | undefined,
  ): Promise<RequestState> {
    await this.#examine(request, state, asked);
    while (state.outcome !== 'unwatched' && this.#isOpen(state)) await this.#examine(request, state);
    return state;
  }

  /**
   * Who was nobody in the middleware may have been recognised by a guard since. And who was somebody may have been signed
   * out, while a body came in or other guards took their time, or by a request that waited for the same answer.
   */
  #isOpen(state: RequestState): boolean {
    return state.outcome === 'unwatched' || (state.outcome === 'watched' && !this.#goesOn(state));
  }

  /**
   * After the handler: a sign-in starts both clocks, a sign-out or a new session id ends or moves the record.
   * Works once per change; safe to call again. Answers a promise only if there is something to wait for.
   */
  settle(request: SessionSecurityRequest): Promise<void> | undefined {
    const state = (request as KnownRequest)[STATE];
    if (!state) return undefined;
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

  async #settleChange(
    request: SessionSecurityRequest,
    state: RequestState,
    session: RequestSession | SessionAbsence,
    asked: SignedIn | Promise<SignedIn>,
  ): Promise<void> {
    try {
      await this.#settle(request, state, session, await asked);
    } catch (error) {
      if (error instanceof TooManySessionsError) throw this.#turnAway(request, state, error);
      // Not watched yet; the next request sees the session for the first time.
      this.advisor.undecided(error);
    }
  }

  /**
   * Counts activity of the request's session, `idleForMs` ago. With a shared store it may be found then that another
   * process has ended the session; the request's state says so.
   */
  touch(request: SessionSecurityRequest, idleForMs = 0): Promise<void> | undefined {
    const state = this.stateOf(request);
    const { sessionId, unreadId = sessionId } = state;
    if (unreadId === undefined) return undefined;
    const { overdue } = this.tracker.touch(unreadId, idleForMs);
    if (sessionId === undefined || !overdue || !this.tracker.isShared) return undefined;
    return this.#write(request, state, sessionId);
  }

  async #write(request: SessionSecurityRequest, state: RequestState, sessionId: string): Promise<void> {
    try {
      if (!(await this.tracker.write(sessionId))) this.#abandon(request, state, sessionId);
    } catch (error) {
      this.#refuse(request, state, error);
    }
  }

  /** The request's user has proved again who they are: both clocks start anew. Answers whether the session lives. */
  async restart(request: SessionSecurityRequest): Promise<boolean> {
    const { outcome, sessionId } = await this.enforce(request);
    if (outcome !== 'watched' || sessionId === undefined) return false;
    await this.tracker.restart(sessionId);
    return true;
  }

  /** Ends the request's session now; the request goes on as nobody. */
  async end(request: SessionSecurityRequest, reason: EndReason): Promise<void> {
    const state = this.stateOf(request);
    const { sessionId, unreadId } = state;
    if (sessionId !== undefined && this.tracker.recall(sessionId)) {
      await this.tracker.end(sessionId, reason);
      this.#abandon(request, state, sessionId);
    } else if (unreadId !== undefined) {
      await this.tracker.end(unreadId, reason);
      state.outcome = 'ended';
      state.ended = { reason, at: this.clock.now() };
    }
  }

  /**
   * Asks again, after the application's own guards, whether the user of a watched session is still signed in: blocked,
   * deleted or signed out behind our back.
   *
   * @returns whether the session goes on.
   */
  async reconsider(request: SessionSecurityRequest): Promise<boolean> {
    const state = this.stateOf(request);
    if (state.outcome !== 'watched') return false;
    try {
      if (await this.signIn.ask(request)) return true;
    } catch (error) {
      this.#refuse(request, state, error);
      return false;
    }
    const session = this.platform.sessionOf(request);
    if (typeof session === 'string') return false;
    await this.#forget(session, 'revoked');
    state.outcome = 'ended';
    state.ended = { reason: 'revoked', at: this.clock.now() };
    return false;
  }

  #goesOn({ sessionId, life }: RequestState): boolean {
    return sessionId !== undefined && life !== undefined && this.tracker.goesOn(sessionId, life);
  }

  /** Memory knows this session of this user to be alive, and nothing else is to be asked. */
  #livesForSure(session: RequestSession, signedIn: SignedIn): boolean {
    return (
      !this.options.limits &&
      this.tracker.outage === undefined &&
      this.#isAsRemembered(session, signedIn) &&
      this.tracker.lives(session.id)
    );
  }

  /** The same user is signed in in the same session, which has not ended; or there is none, as before. */
  #isUnchanged(
    { rotatedFrom }: RequestState,
    session: RequestSession | SessionAbsence,
    signedIn: SignedIn,
  ): boolean {
    if (rotatedFrom !== undefined) return false;
    if (typeof session === 'string') return session !== 'loose';
    return !this.tracker.tombstone(session.id) && this.#isAsRemembered(session, signedIn);
  }

  /** Memory has the same life of this session, with the same user. */
  #isAsRemembered({ id, data }: RequestSession, signedIn: SignedIn): boolean {
    const remembered = signedIn && this.tracker.recall(id);
    return (
      !!remembered &&
      readMarker(data)?.life === remembered.life &&
      isSameUser(remembered.userId, signedIn.userId)
    );
  }

  async #examine(
    request: SessionSecurityRequest,
    state: RequestState,
    asked?: SignedIn | Promise<SignedIn>,
  ): Promise<void> {
    const session = this.platform.sessionOf(request);
    if (session === 'unreadable') return this.#excuse(request, state);
    try {
      if (typeof session !== 'string')
        await this.#judge(request, session, state, await (asked ?? this.signIn.ask(request)));
      else if (state.sessionId !== undefined) await this.#leave(request, state, state.sessionId);
    } catch (error) {
      if (error instanceof TooManySessionsError) this.#turnAway(request, state, error);
      else this.#refuse(request, state, error);
    }
  }

  /** A request that goes on with a session under its new id, and it may have ended there. */
  async #leave(request: SessionSecurityRequest, state: RequestState, sessionId: string): Promise<void> {
    const { life } = state;
    const successor = this.tracker.successorOf(sessionId);
    if (successor !== undefined && this.tracker.recall(successor)?.life === life)
      return this.#watch(state, successor);
    if (!(await this.#lives(sessionId)) || this.tracker.recall(sessionId)?.life !== life)
      this.#abandon(request, state, sessionId);
  }

  async #settle(
    request: SessionSecurityRequest,
    state: RequestState,
    session: RequestSession | SessionAbsence,
    signedIn: SignedIn,
  ): Promise<void> {
    const present = typeof session === 'string' ? undefined : session;
    // The new id is not there yet.
    if (present && present.id === state.rotatedFrom) return;
    await this.#settleRotation(state, signedIn ? present : undefined);
    if (session === 'loose') return this.#settleFollowed(request, state);
    if (!present) return;
    if (this.tracker.tombstone(present.id)) return this.#outlived(request, present, signedIn !== null);
    const watched = this.tracker.recall(present.id);
    const marker = readMarker(present.data);
    // A copy of a session that has ended while the handler ran is as dead as that one.
    if (marker && marker.life !== watched?.life) return this.platform.letGo(request);
    // Without the marker, the session was read before somebody signed in beside this request.
    if (!signedIn) return marker && this.#forget(present, 'logout');
    if (watched && isSameUser(watched.userId, signedIn.userId)) return;
    await this.#start(request, present, state, signedIn.userId);
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
   * The session ended, or was given another id, while the handler ran: the request is answered as it would have been,
   * but it writes nothing, and leaves the browser the cookie that it has by now.
   */
  async #outlived(
    request: SessionSecurityRequest,
    session: RequestSession,
    authenticated: boolean,
  ): Promise<void> {
    this.platform.letGo(request);
    if (!authenticated && this.tracker.isInUse(session.id)) await this.tracker.end(session.id, 'logout');
  }

  async #judge(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    signedIn: SignedIn,
  ): Promise<void> {
    const marker = readMarker(session.data);
    if (!signedIn && !marker) return this.#lookForGrave(request, session, state);
    if (await this.#followsRotation(request, session, state)) return;

    this.tracker.requireTrust();
    let record = this.tracker.recall(session.id) ?? (await this.tracker.locate(session.id));
    if (marker && record?.life !== marker.life) {
      record = await this.tracker.relocate(session.id);
      if (record?.life !== marker.life) return this.#bury(request, session, state);
    }
    if (!record) return this.#firstSight(request, session, state, signedIn);
    if (this.tracker.isDead(session.id)) return this.#abandon(request, state, session.id);
    // Somebody else signed in under the same session id, unseen: their clocks start now.
    if (signedIn && !isSameUser(record.userId, signedIn.userId))
      return this.#start(request, session, state, signedIn.userId);
    // Other limits may end a session, but not revive one that has ended by those before.
    if (!(await this.#lives(session.id))) return this.#abandon(request, state, session.id);
    if (signedIn) await this.#adoptLimits(request, session.id);
    if (!(await this.#lives(session.id))) return this.#abandon(request, state, session.id);
    if (!marker) writeMarker(session.data, record.life);
    this.#watch(state, session.id);
  }

  /** Asks the store before it says no, and ends the session then. */
  async #lives(sessionId: string): Promise<boolean> {
    if (this.tracker.verdict(sessionId)?.phase === 'expired' && (await this.tracker.settle(sessionId)))
      return false;
    return this.tracker.recall(sessionId) !== undefined && !this.tracker.isDead(sessionId);
  }

  #watch(state: RequestState, sessionId: string): void {
    const life = this.tracker.lifeOf(sessionId);
    state.outcome = 'watched';
    state.sessionId = sessionId;
    if (life === undefined) delete state.life;
    else state.life = life;
  }

  async #firstSight(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    signedIn: SignedIn,
  ): Promise<void> {
    if (await this.tracker.findTombstone(session.id)) return this.#abandon(request, state, session.id);
    await this.#start(request, session, state, signedIn?.userId);
  }

  async #adoptLimits(request: SessionSecurityRequest, sessionId: string): Promise<void> {
    if (!this.options.limits) return;
    const life = this.tracker.recall(sessionId)?.life;
    const limits = await this.signIn.limits(request);
    // Somebody else may have signed in under the same id while the application was asked.
    if (this.tracker.recall(sessionId)?.life === life) await this.tracker.setLimits(sessionId, limits);
  }

  async #start(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    userId: string | undefined,
  ): Promise<void> {
    this.advisor.watching(session);
    const limits = await this.signIn.limits(request);
    const record = await this.tracker.start(session.id, { userId, limits, device: deviceOf(request) });
    await this.users.makeRoom(session.id);
    writeMarker(session.data, record.life);
    this.#watch(state, session.id);
    delete state.ended;
  }

  /** A session id is being given up within a request: it is not known yet what becomes of the session. */
  #rotate(request: SessionSecurityRequest, sessionId: string, through: Promise<void>): void {
    const state = this.#remember(request, this.stateOf(request));
    state.rotatedFrom = sessionId;
    // Raw handlers pass no interceptor, callbacks may come after it, and handlers may throw: then the end of the response
    // settles it; but a browser that gives up may end the response before the new id is there.
    this.platform.afterResponse(
      request,
      () => void through.then(() => this.settle(request)).catch(() => undefined),
    );
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
      if (await this.tracker.carry(rotatedFrom, successor.id)) state.sessionId = successor.id;
    } catch (error) {
      // Without a record the marker would be a death sentence; the next request sees the session for the first time.
      eraseMarker(successor.data);
      await this.tracker.end(rotatedFrom, 'replaced');
      throw error;
    }
  }

  /** The session was given another id while this request was on its way here: it goes on with the session. */
  async #followsRotation(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
  ): Promise<boolean> {
    const successor = this.tracker.successorOf(session.id);
    if (successor === undefined) return false;
    const marker = readMarker(session.data);
    if (!(await this.#lives(successor))) {
      this.#abandon(request, state, successor);
    } else if (marker && marker.life !== this.tracker.recall(successor)?.life) {
      // Somebody else had signed in under the same id before it was changed: what goes on is theirs.
      this.#loseTo(request, state);
    } else {
      this.platform.letGo(request);
      this.#watch(state, successor);
    }
    return true;
  }

  /** The session has been replaced; the browser keeps the cookie of the one that took its place. */
  #loseTo(request: SessionSecurityRequest, state: RequestState): void {
    this.platform.replace(request);
    request.user = undefined;
    state.outcome = 'ended';
    delete state.sessionId;
    state.ended = { reason: 'replaced', at: this.clock.now() };
  }

  /** The user is gone, the session id stays in use for whoever comes. */
  async #forget(session: RequestSession, reason: EndReason): Promise<void> {
    eraseMarker(session.data);
    await this.tracker.end(session.id, reason, { keepBlob: true });
  }

  /** Marked as watched, but there is no record of that life: dead. */
  async #bury(request: SessionSecurityRequest, session: RequestSession, state: RequestState): Promise<void> {
    await this.tracker.findTombstone(session.id);
    this.tracker.bury(session.id, null);
    await this.tracker.end(session.id, 'revoked');
    this.#abandon(request, state, session.id);
  }

  #abandon(request: SessionSecurityRequest, state: RequestState, sessionId: string): void {
    this.platform.renew(request);
    request.user = undefined;
    state.outcome = 'ended';
    delete state.sessionId;
    // After a sign-out that left the session id in use there is no grave.
    const { reason, at } = this.tracker.tombstone(sessionId) ?? { reason: null, at: this.clock.now() };
    state.ended = { reason, at };
  }

  /** Nobody is signed in; was somebody, by the cookie that was presented? */
  async #lookForGrave(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
  ): Promise<void> {
    this.advisor.notSignedIn(session);
    for (const { id } of this.platform.presentedIds(request, this.options.cookieName)) {
      const tombstone = id === session.id ? undefined : await this.tracker.findTombstone(id);
      if (!tombstone) continue;
      const fate = this.tracker.fateOf(id);
      if (!fate) return this.#askAgain(request, state);
      state.outcome = 'ended';
      state.endedId = id;
      state.ended = { reason: fate.reason, at: fate.at };
      return;
    }
  }

  /** The session goes on under an id whose cookie has not reached the browser in time for this request. */
  #askAgain(request: SessionSecurityRequest, state: RequestState): void {
    this.platform.replace(request);
    state.outcome = 'unknown';
  }

  /** The user has as many sessions as are allowed; this one has been ended. */
  #turnAway(
    request: SessionSecurityRequest,
    state: RequestState,
    error: TooManySessionsError,
  ): TooManySessionsError {
    this.platform.renew(request);
    request.user = undefined;
    state.outcome = 'turned-away';
    delete state.sessionId;
    return error;
  }

  /** The store does not give the session out. Who presents no cookie of a session is nobody all the same. */
  #excuse(request: SessionSecurityRequest, state: RequestState): void {
    const presented = this.platform.presentedIds(request, this.options.cookieName).length > 0;
    if (!presented) return void this.platform.replace(request);
    const failure = this.platform.failureOf(request);
    this.#refuse(request, state, failure ?? new StoreFailure('the session store has disconnected'));
  }

  #remember(request: SessionSecurityRequest, state: RequestState): RequestState {
    (request as KnownRequest)[STATE] = state;
    return state;
  }

  /** Store or application cannot tell whose session it is: deny for this request, and end nobody on a guess. */
  #refuse(request: SessionSecurityRequest, state: RequestState, error: unknown): void {
    this.advisor.undecided(error);
    const unreadId = this.platform.replace(request);
    if (unreadId !== undefined) state.unreadId = unreadId;
    request.user = undefined;
    state.outcome = 'unknown';
    state.storeFailed = error instanceof StoreFailure;
    delete state.sessionId;
  }
}

/** Not known to be different: an application may not tell who is signed in. */
function isSameUser(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
