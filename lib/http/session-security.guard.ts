import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  InternalServerErrorException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { EndNotice } from './end-notice.js';
import { ExpiredAnswer } from './expired-answer.js';
import { handledBy } from './handled-request.js';
import { MessageAdmission } from './message-admission.js';
import { RequestClassifier } from './request-classifier.js';
import { storeUnavailable, tooManySessions } from './problem.js';
import type { RequestState } from './request-state.js';
import type { ResponseHeaders } from './response-headers.js';
import { ALLOW_EXPIRED } from './route-decorators.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';
import { SetupAdvisor } from './setup-advisor.js';

/** Global guard: refuses requests whose session is over, and counts the others as activity. */
@Injectable()
export class SessionSecurityGuard implements CanActivate {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly tracker: ActivityTracker,
    private readonly classifier: RequestClassifier,
    private readonly reflector: Reflector,
    private readonly expiredAnswer: ExpiredAnswer,
    private readonly notice: EndNotice,
    private readonly platform: SessionPlatform,
    private readonly advisor: SetupAdvisor,
    private readonly messages: MessageAdmission,
    private readonly options: SessionSecurityOptions,
  ) {}

  /** Answers at once where nothing is to be waited for, as for nearly every request: a promise would cost more than that. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const handled = handledBy(context, this.platform);
    if (!handled) return true;
    if (handled.over === 'connection') return this.messages.admit(context, handled.connection);
    const { request, response } = handled;
    const headers = this.platform.headersOf(response);
    const state = this.enforcer.enforce(request);
    return state instanceof Promise
      ? state.then((found) => this.#count(context, request, headers, found))
      : this.#count(context, request, headers, state);
  }

  /** Counts the request as activity, if it is. */
  #count(
    context: ExecutionContext,
    request: SessionSecurityRequest,
    headers: ResponseHeaders,
    state: RequestState,
  ): boolean | Promise<boolean> {
    if (state.outcome === 'unwatched') this.#requireSessions(request);
    if (state.outcome === 'turned-away') throw tooManySessions(headers);
    // Somebody is there, also when the store cannot say who.
    const counted = this.classifier.isPassive(context, request) ? undefined : this.enforcer.touch(request);
    return counted
      ? counted.then(() => this.#admit(context, request, headers, state))
      : this.#admit(context, request, headers, state);
  }

  #requireSessions(request: SessionSecurityRequest): void {
    const session = this.platform.sessionOf(request);
    if (session === 'missing') this.advisor.missing(this.platform.advice);
    if (session === 'irrevocable')
      throw new InternalServerErrorException(this.advisor.irrevocable(this.platform.advice));
  }

  #admit(
    context: ExecutionContext,
    request: SessionSecurityRequest,
    headers: ResponseHeaders,
    state: RequestState,
  ): true {
    this.notice.leave(request, headers);
    // Whoever is on the way from the end to the next sign-in brings the old cookie along; that is no use of it.
    if (state.endedId !== undefined && !this.#allowsExpired(context, request))
      this.tracker.presentedAfterEnd(state.endedId);
    if (
      state.outcome === 'ended' &&
      this.options.onExpired !== 'anonymous' &&
      !this.#allowsExpired(context, request)
    ) {
      this.expiredAnswer.refuse(request, headers, state.ended);
    }
    if (
      state.storeFailed &&
      this.options.onStoreFailure === 'unavailable' &&
      !this.#allowsExpired(context, request)
    )
      throw storeUnavailable(headers);
    if (state.outcome !== 'watched') return true;
    // ASVS 5.0 14.3.2; a handler that sets the header itself has the last word.
    if (!headers.headersSent && headers.getHeader('Cache-Control') === undefined) {
      headers.setHeader('Cache-Control', 'no-store');
    }
    return true;
  }

  #allowsExpired(context: ExecutionContext, request: SessionSecurityRequest): boolean {
    return (
      this.expiredAnswer.isSignIn(request) ||
      this.reflector.getAllAndOverride<boolean>(ALLOW_EXPIRED, [context.getHandler(), context.getClass()]) ===
        true
    );
  }
}
