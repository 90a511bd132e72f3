import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { TooManySessionsError } from '../activity/user-sessions.js';
import type { SessionSecurityRequest } from '../options/index.js';
import { handledBy } from './handled-request.js';
import { tooManySessions } from './problem.js';
import type { SessionSecurityResponse } from './response-headers.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';

/** Global interceptor: sees, when a handler has answered, whether somebody signed in or out. */
@Injectable()
export class SessionSecurityInterceptor implements NestInterceptor {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly platform: SessionPlatform,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handled = handledBy(context, this.platform);
    if (handled?.over !== 'http') return next.handle();
    const { request, response } = handled;
    return settlingFirst(next.handle(), () => this.#settle(request, response));
  }

  /** Answers a promise if there is something to wait for: a sign-in, a sign-out, another session id. */
  #settle(request: SessionSecurityRequest, response: SessionSecurityResponse): Promise<void> | undefined {
    return this.enforcer.settle(request)?.catch((error: unknown) => {
      throw error instanceof TooManySessionsError
        ? tooManySessions(this.platform.headersOf(response))
        : error;
    });
  }
}

/**
 * The same stream, settled before its first value or its error goes on: a stream of server-sent events has one sign-in at
 * most, before its first message. One observable and no operators, because every request of the application passes here,
 * and nearly always there is nothing to wait for.
 */
function settlingFirst(
  source: Observable<unknown>,
  settle: () => Promise<void> | undefined,
): Observable<unknown> {
  return new Observable((subscriber) => {
    let settled = false;
    /** What has to be over before anything else goes on. */
    let waiting: Promise<void> | undefined;
    const inTurn = (step: () => void): void => {
      if (!settled) {
        settled = true;
        waiting = settle();
      }
      if (!waiting) return step();
      waiting = waiting.then(step);
      waiting.catch((error: unknown) => subscriber.error(error));
    };
    return source.subscribe({
      next: (value) => inTurn(() => subscriber.next(value)),
      error: (error: unknown) => inTurn(() => subscriber.error(error)),
      complete: () => inTurn(() => subscriber.complete()),
    });
  });
}
