import { type EndReason, isSameUser } from '../activity/activity-record.js';
import type { ActivityTracker } from '../activity/activity-tracker.js';
import type { Clock } from '../activity/clock.js';
import { StoreFailure } from '../activity/store-calls.js';
import type { TooManySessionsError, UserSessions } from '../activity/user-sessions.js';
import type { SessionSecurityOptions, SessionSecurityRequest } from '../options/index.js';
import { deviceOf } from './device.js';
import type { RequestState } from './request-state.js';
import { eraseMarker, readMarker, writeMarker } from './session-marker.js';
import type { RequestSession, SessionPlatform } from './session-platform.js';
import type { SetupAdvisor } from './setup-advisor.js';
import type { SignedIn, SignIn } from './sign-in.js';

/** What can become of a request: it goes on with a watched session, with an anonymous one, or with none that is known. */
export class RequestOutcomes {
  constructor(
    private readonly tracker: ActivityTracker,
    private readonly users: UserSessions,
    private readonly platform: SessionPlatform,
    private readonly signIn: SignIn,
    private readonly options: SessionSecurityOptions,
    private readonly advisor: SetupAdvisor,
    private readonly clock: Clock,
  ) {}

  /** Memory has the same life of this session, with the same user. */
  isAsRemembered({ id, data }: RequestSession, signedIn: SignedIn): boolean {
    const remembered = signedIn && this.tracker.recall(id);
    return (
      !!remembered &&
      readMarker(data)?.life === remembered.life &&
      isSameUser(remembered.userId, signedIn.userId)
    );
  }

  /** The request goes on with this watched session. */
  watch(state: RequestState, sessionId: string): void {
    const life = this.tracker.lifeOf(sessionId);
    state.outcome = 'watched';
    state.sessionId = sessionId;
    if (life === undefined) delete state.life;
    else state.life = life;
  }

  /**
   * Begins to watch the request's session.
   *
   * @returns whether it does; not if the session that the request has read is over, because a parallel request has signed
   *   somebody else in under its id.
   * @throws {TooManySessionsError} if its user has as many sessions as are allowed.
   */
  async start(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    userId: string | undefined,
  ): Promise<boolean> {
    this.advisor.watching(session, userId);
    if (session.cookie.secure && !this.platform.isSecure(request))
      this.platform.afterResponse(request, () => this.#lookForCookie(request));
    const limits = await this.signIn.limits(request);
    // Nothing comes between looking and beginning.
    for (let other = this.tracker.begun(session.id); other; other = this.tracker.begun(session.id))
      await other;
    const marker = readMarker(session.data);
    if (marker && marker.life !== this.tracker.lifeOf(session.id)) return false;
    const record = await this.tracker.start(session.id, { userId, limits, device: deviceOf(request) });
    await this.users.makeRoom(session.id);
    writeMarker(session.data, record.life);
    this.watch(state, session.id);
    delete state.ended;
    return true;
  }

  /**
   * A session has begun whose cookie wants HTTPS, and the request seems to have come without: has the browser got the
   * cookie all the same? The session library may trust a proxy that the platform does not.
   */
  #lookForCookie(request: SessionSecurityRequest): void {
    const session = this.platform.sessionOf(request);
    const response = this.platform.responseOf(request);
    if (typeof session === 'string' || !response) return;
    const headers = this.platform.headersOf(response);
    if (!headers.headersSent) return;
    const { cookieName } = this.options;
    if (this.platform.presentedIds(request, cookieName).some(({ id }) => id === session.id)) return;
    const id = encodeURIComponent(session.id);
    const cookies = [headers.getHeader('Set-Cookie') ?? []].flat();
    if (!cookies.some((cookie) => String(cookie).includes(id))) this.advisor.withoutCookie();
  }

  /** The user is gone, the session id stays in use for whoever comes. */
  async forget(session: RequestSession, state: RequestState, reason: EndReason): Promise<void> {
    eraseMarker(session.data);
    await this.tracker.end(session.id, reason, { keep: state.isMarkedNow ? 'id' : 'blob' });
  }

  /** The session is over; the request goes on with an anonymous one. */
  abandon(request: SessionSecurityRequest, state: RequestState, sessionId: string): void {
    this.platform.renew(request);
    request.user = undefined;
    state.outcome = 'ended';
    delete state.sessionId;
    // After a sign-out that left the session id in use there is no grave.
    const { reason, at } = this.tracker.tombstone(sessionId) ?? { reason: null, at: this.clock.now() };
    state.ended = { reason, at };
  }

  /** The session has been replaced; the browser keeps the cookie of the one that took its place. */
  loseTo(request: SessionSecurityRequest, state: RequestState): void {
    this.platform.replace(request);
    request.user = undefined;
    state.outcome = 'ended';
    delete state.sessionId;
    state.ended = { reason: 'replaced', at: this.clock.now() };
  }

  /** The user has as many sessions as are allowed; this one has been ended. */
  turnAway(
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

  /** The session goes on under an id whose cookie has not reached the browser in time for this request. */
  askAgain(request: SessionSecurityRequest, state: RequestState): void {
    this.platform.replace(request);
    state.outcome = 'unknown';
  }

  /** As {@link askAgain}, where the request has proved to hold the session: it may still sign out of it. */
  askAgainAsHolder(request: SessionSecurityRequest, state: RequestState): void {
    const movedId = this.platform.replace(request);
    if (movedId !== undefined) state.movedId = movedId;
    state.outcome = 'unknown';
  }

  /** The session that was not given out to the request is over. */
  async endWithheld(state: RequestState, sessionId: string, reason: EndReason): Promise<void> {
    delete state.unreadId;
    delete state.movedId;
    await this.tracker.end(sessionId, reason);
    state.outcome = 'ended';
    state.ended = { reason, at: this.clock.now() };
  }

  /** The store does not give the session out. Who presents no cookie of a session is nobody all the same. */
  excuse(request: SessionSecurityRequest, state: RequestState): void {
    const presented = this.platform.presentedIds(request, this.options.cookieName).length > 0;
    if (!presented) return void this.platform.replace(request);
    const failure = this.platform.failureOf(request);
    this.refuse(request, state, failure ?? new StoreFailure('the session store has disconnected'));
  }

  /** Store or application cannot tell whose session it is: deny for this request, and end nobody on a guess. */
  refuse(request: SessionSecurityRequest, state: RequestState, error: unknown): void {
    this.advisor.undecided(error);
    const unreadId = this.platform.replace(request);
    if (unreadId !== undefined) state.unreadId = unreadId;
    request.user = undefined;
    state.outcome = 'unknown';
    state.storeFailed = error instanceof StoreFailure;
    delete state.sessionId;
  }
}
