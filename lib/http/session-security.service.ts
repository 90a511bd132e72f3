import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { EndReason } from '../activity/activity-record.js';
import {
  defer,
  from,
  map,
  type MonoTypeOperatorFunction,
  type Observable,
  of,
  switchMap,
  takeUntil,
} from 'rxjs';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { SessionReferences } from '../activity/session-reference.js';
import { type LiveSession, UserSessions } from '../activity/user-sessions.js';
import {
  type ClientTagOptions,
  SessionSecurityOptions,
  type SessionSecurityRequest,
  toleranceOf,
} from '../options/index.js';
import { describePolicy, type PolicyDescription } from '../policy/index.js';
import { ClientTag } from './client-tag.js';
import { EndNotice, type NoticeReason } from './end-notice.js';
import { type Closing, CLOSINGS, type LiveConnection, LiveConnections } from './live-connections.js';
import { MessageAdmission } from './message-admission.js';
import { PingAnswer, type SessionStatus } from './ping-answer.js';
import type { SessionSecurityResponse } from './response-headers.js';
import type { RequestState } from './request-state.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform, type SessionReader } from './session-platform.js';
import { SetupAdvisor } from './setup-advisor.js';

/**
 * The id of a user, as the session holds it: sign-ins take numbers too, and make a text of them.
 *
 * @publicApi
 */
export type UserId = string | number | bigint;

/**
 * What an application can ask of the module and tell it.
 *
 * @publicApi
 */
@Injectable()
export class SessionSecurityService {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly tracker: ActivityTracker,
    private readonly users: UserSessions,
    private readonly references: SessionReferences,
    private readonly answer: PingAnswer,
    private readonly notice: EndNotice,
    private readonly tag: ClientTag,
    private readonly platform: SessionPlatform,
    private readonly connections: LiveConnections,
    private readonly messages: MessageAdmission,
    private readonly advisor: SetupAdvisor,
    private readonly options: SessionSecurityOptions,
  ) {}

  /** Where the request's session stands; durations in seconds. Moves nothing. */
  async status(request: SessionSecurityRequest): Promise<SessionStatus> {
    await this.enforcer.enforce(request);
    return this.answer.statusOf(request);
  }

  /** Counts this instant as activity of the request's session. Answers whether it lives. */
  async touch(request: SessionSecurityRequest): Promise<boolean> {
    const state = await this.enforcer.enforce(request);
    if (state.outcome !== 'watched') return false;
    await this.enforcer.touch(request);
    return state.outcome === 'watched';
  }

  /** Ends the request's session: its blob and record are gone, and the request goes on as nobody. */
  async end(request: SessionSecurityRequest, reason: EndReason = 'logout'): Promise<void> {
    await this.enforcer.enforce(request);
    await this.enforcer.end(request, reason);
  }

  /**
   * Ends one session of a user: the one that {@link list} names so (ASVS 5.0 7.5.2). Answers whether there was one:
   * another user's is left alone, and one whose id has changed since has another name in a new list.
   */
  async endOne(userId: UserId, session: string, reason: EndReason = 'revoked'): Promise<boolean> {
    return this.users.endOne(String(userId), session, reason);
  }

  /** Ends all sessions of a user (ASVS 5.0 7.4.2); answers how many. */
  async endAll(userId: UserId, reason: EndReason = 'revoked'): Promise<number> {
    return this.users.endAll(String(userId), reason);
  }

  /** Ends all other sessions of the request's user, after a change of password say (ASVS 5.0 7.4.3); answers how many. */
  async endOthers(request: SessionSecurityRequest, reason: EndReason = 'revoked'): Promise<number> {
    const { sessionId } = await this.enforcer.enforce(request);
    const userId = sessionId === undefined ? undefined : this.tracker.recall(sessionId)?.userId;
    return userId === undefined ? 0 : this.users.endAll(userId, reason, sessionId);
  }

  /**
   * The live sessions of a user, oldest first, with device, sign-in, last activity and what remains (ASVS 5.0 7.5.2); or
   * of everybody whom this process knows. Never a session id, only its keyed hash.
   */
  list(): Promise<LiveSession[]>;
  list(userId: UserId): Promise<LiveSession[]>;
  async list(...given: [] | [userId: UserId | null | undefined]): Promise<LiveSession[]> {
    if (given.length === 0) return this.users.list();
    const [userId] = given;
    // The id of nobody, from a request in which nobody is signed in: that is not the wish to see everybody.
    return userId == null ? [] : this.users.list(String(userId));
  }

  /**
   * The keyed hash by which events and {@link list} name the request's session, so that an application can keep something
   * of its own for a session and clear it away at the `end`. It changes with the session's id, and is known before
   * anybody has signed in; `undefined` if the request has no session.
   */
  referenceOf(request: SessionSecurityRequest): string | undefined {
    const session = this.platform.sessionOf(request);
    // What goes on under another id by now is known by that.
    const sessionId = typeof session === 'string' ? this.enforcer.stateOf(request).sessionId : session.id;
    return sessionId === undefined ? undefined : this.references.ofSession(sessionId);
  }

  /**
   * The request's user has just proved again who they are: both clocks start anew (NIST SP 800-63B-4, ASVS 5.0 7.5.3).
   * Answers whether the session lives.
   */
  async reauthenticated(request: SessionSecurityRequest): Promise<boolean> {
    return this.enforcer.restart(request);
  }

  /** Emits once, with the reason (`null` if not known), when the request's session ends; then completes. */
  ended(request: SessionSecurityRequest): Observable<EndReason | null> {
    return this.#judged(request).pipe(switchMap((state) => this.#endOf(state)));
  }

  /**
   * Passes a stream on for as long as the request's session lives, and completes it then: for `@Sse()`. Completes at once,
   * without a value, when nobody is signed in.
   */
  whileSessionLives<Value>(request: SessionSecurityRequest): MonoTypeOperatorFunction<Value> {
    // Whose session it is must be known before the stream begins: some have values in the same moment.
    return (source) =>
      this.#judged(request).pipe(switchMap((state) => source.pipe(takeUntil(this.#endOf(state)))));
  }

  #judged(request: SessionSecurityRequest): Observable<RequestState> {
    return defer(() => {
      const state = this.enforcer.enforce(request);
      return state instanceof Promise ? from(state) : of(state);
    });
  }

  #endOf({ sessionId, ended }: RequestState): Observable<EndReason | null> {
    return sessionId === undefined ? of(ended?.reason ?? null) : this.tracker.ended(sessionId);
  }

  /**
   * Closes a socket when the session ends in which it was opened: a WebSocket with code 1008 (RFC 6455), at once when
   * nobody is signed in. Until then the gateway's handlers are reached, and after it they are not.
   *
   * @param connection a WebSocket of `ws` or a socket of socket.io, as `handleConnection` is given it
   * @param request the request that opened it
   * @param readSession express-session's middleware, unless it has read the request's session already; on Fastify it is not
   *   needed. When the session cannot be read, or cannot be told
   *   from another, the connection is closed with code 1013, and may be opened again
   */
  closeWithSession(connection: LiveConnection, request: IncomingMessage, readSession?: SessionReader): void {
    const opening = request as IncomingMessage & SessionSecurityRequest;
    const read = readSession ?? this.platform.sessionReader(this.options.cookieName);
    this.messages.attend(connection);
    this.connections.watch(
      connection,
      opening,
      () => this.ended(opening).pipe(map((reason) => this.#closingOf(opening, reason))),
      read,
    );
  }

  #closingOf(opening: SessionSecurityRequest, reason: EndReason | null): Closing {
    const { outcome } = this.enforcer.stateOf(opening);
    // It may live: the store could not say, or it has been given another id meanwhile.
    if (outcome === 'unknown' && reason === null) return CLOSINGS.undecided;
    if (outcome !== 'unwatched') return CLOSINGS.ended;
    if (this.platform.sessionOf(opening) === 'missing') this.advisor.unreadSocket();
    return CLOSINGS.nobody;
  }

  /** The policy in force, for an auditor: as an object, which is JSON, and as Markdown (ASVS 5.0 7.1.1). */
  describePolicy(): PolicyDescription {
    const {
      preset,
      limits,
      maxSessionsPerUser,
      onTooManySessions,
      onExpired,
      warnAfter,
      expireAfter,
      maxLifetime,
    } = this.options;
    return describePolicy({
      limits: { warnAfter, expireAfter, maxLifetime },
      tolerance: toleranceOf(this.options),
      preset: preset ?? null,
      limitsByRequest: limits !== undefined,
      maxSessionsPerUser,
      onTooManySessions,
      onExpired,
    });
  }

  /** Why the last session of this browser ended, for the sign-in page. Said once, and not after a sign-out. */
  takeNotice(request: SessionSecurityRequest, response: SessionSecurityResponse): NoticeReason | undefined {
    return this.notice.take(request, this.platform.headersOf(response));
  }

  /**
   * The script tag of the client, for a page rendered for this request. It carries the page's owner, so that a page
   * that is shown when somebody else has signed in is covered.
   */
  clientTag(request: SessionSecurityRequest, options?: ClientTagOptions): string {
    return this.tag.write(request, options);
  }
}
