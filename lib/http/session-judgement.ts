import { isSameUser } from '../activity/activity-record.js';
import type { ActivityTracker } from '../activity/activity-tracker.js';
import { TooManySessionsError } from '../activity/user-sessions.js';
import type { SessionSecurityOptions, SessionSecurityRequest } from '../options/index.js';
import { forgetReading, readingOf } from './gate/unjudged-readings.js';
import type { RequestState } from './request-state.js';
import type { RequestOutcomes } from './request-outcomes.js';
import { readMarker, writeMarker } from './session-marker.js';
import type { RequestSession, SessionPlatform } from './session-platform.js';
import type { SetupAdvisor } from './setup-advisor.js';
import type { SignedIn, SignIn } from './sign-in.js';

/** Judges, before anything of the application runs, whose session a request brings and whether it lives. */
export class SessionJudgement {
  constructor(
    private readonly tracker: ActivityTracker,
    private readonly platform: SessionPlatform,
    private readonly signIn: SignIn,
    private readonly options: SessionSecurityOptions,
    private readonly advisor: SetupAdvisor,
    private readonly outcomes: RequestOutcomes,
  ) {}

  async examine(
    request: SessionSecurityRequest,
    state: RequestState,
    asked?: SignedIn | Promise<SignedIn>,
  ): Promise<void> {
    const session = this.platform.sessionOf(request);
    if (session === 'unreadable') return this.outcomes.excuse(request, state);
    if (session === 'moved') return this.outcomes.askAgainAsHolder(request, state);
    try {
      if (typeof session !== 'string') {
        const reading = readingOf(session.data) ?? this.tracker.leavingCount;
        const signedIn = await (asked ?? this.signIn.ask(request));
        await this.#judge(request, session, state, signedIn, reading);
        forgetReading(session.data);
      } else if (state.sessionId !== undefined) await this.#leave(request, state, state.sessionId);
    } catch (error) {
      if (error instanceof TooManySessionsError) this.outcomes.turnAway(request, state, error);
      else this.outcomes.refuse(request, state, error);
    }
  }

  async #judge(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    signedIn: SignedIn,
    reading: number,
  ): Promise<void> {
    const marker = readMarker(session.data);
    if (!signedIn && !marker) return this.#lookForGrave(request, session, state);
    if (await this.#followsRotation(request, session, state)) return;

    this.tracker.requireTrust(session.id);
    let record = this.tracker.recall(session.id) ?? (await this.tracker.locate(session.id));
    if (marker && record?.life !== marker.life) {
      record = await this.tracker.relocate(session.id);
      if (record?.life !== marker.life) {
        // It may have been given another id while the store was asked.
        if (await this.#followsRotation(request, session, state)) return;
        // Somebody has signed in under this id since; theirs is not to end with what was read before.
        if (record) return this.outcomes.loseTo(request, state);
        await this.tracker.buryLost(session.id);
        return this.outcomes.abandon(request, state, session.id);
      }
    }
    // Read before somebody signed out and left the session id in use: what it says is out of date.
    if (!record && this.tracker.hasLeftSince(session.id, reading))
      return this.outcomes.askAgain(request, state);
    if (!marker) state.isMarkedNow = true;
    if (!record) return this.#firstSight(request, session, state, signedIn);
    if (this.tracker.isDead(session.id)) return this.outcomes.abandon(request, state, session.id);
    // Somebody else signed in under the same session id, unseen: their clocks start now.
    if (signedIn && !isSameUser(record.userId, signedIn.userId))
      return this.#start(request, session, state, signedIn);
    // Other limits may end a session, but not revive one that has ended by those before.
    if (!(await this.#lives(session.id))) return this.outcomes.abandon(request, state, session.id);
    if (signedIn) await this.#adoptLimits(request, session.id);
    if (!(await this.#lives(session.id))) return this.outcomes.abandon(request, state, session.id);
    if (!marker) writeMarker(session.data, record.life);
    this.outcomes.watch(state, session.id);
  }

  /** Asks the store before it says no, and ends the session then. */
  async #lives(sessionId: string): Promise<boolean> {
    if (this.tracker.verdict(sessionId)?.phase === 'expired' && (await this.tracker.settle(sessionId)))
      return false;
    return this.tracker.recall(sessionId) !== undefined && !this.tracker.isDead(sessionId);
  }

  async #firstSight(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    signedIn: SignedIn,
  ): Promise<void> {
    if (await this.tracker.findTombstone(session.id))
      return this.outcomes.abandon(request, state, session.id);
    await this.#start(request, session, state, signedIn);
  }

  async #start(
    request: SessionSecurityRequest,
    session: RequestSession,
    state: RequestState,
    signedIn: SignedIn,
  ): Promise<void> {
    if (!(await this.outcomes.start(request, session, state, signedIn?.userId)))
      this.outcomes.loseTo(request, state);
  }

  async #adoptLimits(request: SessionSecurityRequest, sessionId: string): Promise<void> {
    if (!this.options.limits) return;
    const life = this.tracker.recall(sessionId)?.life;
    const limits = await this.signIn.limits(request);
    // Somebody else may have signed in under the same id while the application was asked.
    if (this.tracker.recall(sessionId)?.life === life) await this.tracker.setLimits(sessionId, limits);
  }

  /** A request that goes on with a session under its new id, and it may have ended there. */
  async #leave(request: SessionSecurityRequest, state: RequestState, sessionId: string): Promise<void> {
    const { life } = state;
    const successor = this.tracker.successorOf(sessionId);
    if (successor !== undefined && this.tracker.recall(successor)?.life === life)
      return this.outcomes.watch(state, successor);
    if (!(await this.#lives(sessionId)) || this.tracker.recall(sessionId)?.life !== life)
      this.outcomes.abandon(request, state, sessionId);
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
      this.outcomes.abandon(request, state, successor);
    } else if (marker && marker.life !== this.tracker.recall(successor)?.life) {
      // Somebody else had signed in under the same id before it was changed: what goes on is theirs.
      this.outcomes.loseTo(request, state);
    } else {
      this.platform.letGo(request);
      this.outcomes.watch(state, successor);
    }
    return true;
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
      if (!fate) return this.outcomes.askAgain(request, state);
      state.outcome = 'ended';
      state.endedId = id;
      state.ended = { reason: fate.reason, at: fate.at };
      return;
    }
  }
}
