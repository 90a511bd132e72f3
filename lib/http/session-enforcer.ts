import { Injectable } from '@nestjs/common';
import type { EndReason } from '../activity/activity-record.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { Clock } from '../activity/clock.js';
import { UserSessions } from '../activity/user-sessions.js';
import type { SessionSecurityRequest } from '../options/index.js';
import { SessionSecurityOptions } from '../options/index.js';
import { RequestOutcomes } from './request-outcomes.js';
import type { RequestState } from './request-state.js';
import { SessionJudgement } from './session-judgement.js';
import { type RequestSession, SessionPlatform } from './session-platform.js';
import { SessionSettlement } from './session-settlement.js';
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
  readonly #outcomes: RequestOutcomes;
  readonly #judgement: SessionJudgement;
  readonly #settlement: SessionSettlement;

  constructor(
    private readonly tracker: ActivityTracker,
    users: UserSessions,
    private readonly platform: SessionPlatform,
    private readonly signIn: SignIn,
    private readonly options: SessionSecurityOptions,
    advisor: SetupAdvisor,
    private readonly clock: Clock,
  ) {
    this.#outcomes = new RequestOutcomes(tracker, users, platform, signIn, options, advisor, clock);
    this.#judgement = new SessionJudgement(tracker, platform, signIn, options, advisor, this.#outcomes);
    this.#settlement = new SessionSettlement(tracker, platform, signIn, users, advisor, this.#outcomes);
    platform.onRotation((request, givenUp, through) => {
      const state = this.#remember(request, this.stateOf(request));
      this.#settlement.rotate(request, state, givenUp, through);
    });
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
      this.#outcomes.watch(state, session.id);
      return state;
    } catch (error) {
      this.#outcomes.refuse(request, state, error);
      return state;
    }
  }

  /** @param asked who is signed in, if that has been asked already. */
  async #enforce(
    request: SessionSecurityRequest,
    state: RequestState,
    asked: SignedIn | Promise<SignedIn> | undefined,
  ): Promise<RequestState> {
    // Middleware of the application has given the session another id before it was judged under the old one.
    const isRotated = state.rotatedFrom !== undefined || state.former !== undefined;
    const settling = state.outcome === 'unwatched' && isRotated ? this.settleLast(request) : undefined;
    await settling;
    await this.#judgement.examine(request, state, settling ? undefined : asked);
    while (state.outcome !== 'unwatched' && this.#isOpen(state))
      await this.#judgement.examine(request, state);
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
    return state && this.#settlement.settle(request, state);
  }

  /** As {@link settle}, outside of any handler: who is turned away then is not signed in, and that is all the answer. */
  settleLast(request: SessionSecurityRequest): Promise<void> | undefined {
    return this.settle(request)?.catch(() => undefined);
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
      if (!(await this.tracker.write(sessionId))) this.#outcomes.abandon(request, state, sessionId);
    } catch (error) {
      this.#outcomes.refuse(request, state, error);
    }
  }

  /** The request's user has proved again who they are: both clocks start anew. Answers whether the session lives. */
  async restart(request: SessionSecurityRequest): Promise<boolean> {
    const { outcome, sessionId } = await this.enforce(request);
    if (outcome !== 'watched' || sessionId === undefined) return false;
    await this.tracker.restart(sessionId);
    // It may have ended while that was written.
    return this.#goesOn(this.stateOf(request));
  }

  /** Ends the request's session now; the request goes on as nobody. */
  async end(request: SessionSecurityRequest, reason: EndReason): Promise<void> {
    const state = this.stateOf(request);
    const { sessionId, unreadId, movedId: withheldId = unreadId } = state;
    if (sessionId !== undefined && this.tracker.recall(sessionId)) {
      await this.tracker.end(sessionId, reason);
      this.#outcomes.abandon(request, state, sessionId);
    } else if (withheldId !== undefined) {
      await this.#outcomes.endWithheld(state, withheldId, reason);
    } else {
      await this.#endUnseen(request, state, reason);
    }
  }

  /**
   * Nobody is signed in as the session is stored, but somebody may be watched under its id all the same: a request of
   * before the sign-in has written the session back, and one of after it may do so again; or the sign-in came after this
   * request was read.
   */
  async #endUnseen(request: SessionSecurityRequest, state: RequestState, reason: EndReason): Promise<void> {
    const session = this.platform.sessionOf(request);
    if (typeof session === 'string' || !this.tracker.isInUse(session.id)) return;
    await this.tracker.end(session.id, reason);
    this.#outcomes.abandon(request, state, session.id);
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
      this.#outcomes.refuse(request, state, error);
      return false;
    }
    const session = this.platform.sessionOf(request);
    if (typeof session === 'string') return false;
    await this.#outcomes.forget(session, state, 'revoked');
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
      this.tracker.outageOf(session.id) === undefined &&
      this.#outcomes.isAsRemembered(session, signedIn) &&
      this.tracker.lives(session.id)
    );
  }

  #remember(request: SessionSecurityRequest, state: RequestState): RequestState {
    (request as KnownRequest)[STATE] = state;
    return state;
  }
}
