import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, concatMap, from, map, type Observable, of, throwError } from 'rxjs';
import { TooManySessionsError } from '../activity/user-sessions.js';
import type { SessionSecurityRequest } from '../options/index.js';
import type { SessionSecurityResponse } from './cookies.js';
import { tooManySessions } from './problem.js';
import { SessionEnforcer } from './session-enforcer.js';

/** Global interceptor: sees, when a handler has answered, whether somebody signed in or out. */
@Injectable()
export class SessionSecurityInterceptor implements NestInterceptor {
  constructor(private readonly enforcer: SessionEnforcer) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<SessionSecurityRequest>();
    const response = context.switchToHttp().getResponse<SessionSecurityResponse>();
    return next.handle().pipe(
      // A stream of server-sent events has one sign-in at most, before its first message.
      concatMap((value: unknown, index) => {
        const settling = index === 0 ? this.#settle(request, response) : undefined;
        return settling ? from(settling).pipe(map(() => value)) : of(value);
      }),
      catchError((error: unknown) =>
        from(this.#settle(request, response) ?? Promise.resolve()).pipe(
          concatMap(() => throwError(() => error)),
        ),
      ),
    );
  }

  /** Answers a promise if there is something to wait for: a sign-in, a sign-out, another session id. */
  #settle(request: SessionSecurityRequest, response: SessionSecurityResponse): Promise<void> | undefined {
    return this.enforcer.settle(request)?.catch((error: unknown) => {
      throw error instanceof TooManySessionsError ? tooManySessions(response) : error;
    });
  }
}
