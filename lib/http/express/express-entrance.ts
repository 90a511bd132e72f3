import { Injectable } from '@nestjs/common';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../../options/index.js';
import { isPingAddress, malformedBody } from '../ping-refusal.js';
import { ProblemException } from '../problem.js';
import type { ResponseHeaders } from '../response-headers.js';
import type { RequestState } from '../request-state.js';
import { SessionEnforcer } from '../session-enforcer.js';
import { ExpressSessionPlatform, type ExpressSessionRequest } from './express-session-platform.js';

type Next = (error?: unknown) => void;

/** What is used of Nest's adapter to Express. */
interface ExpressApplication {
  use(handler: unknown): unknown;
}

/**
 * Early Express middleware: enforces for requests that reach no controller (static files, unknown addresses, raw
 * handlers). It never counts activity; only the guard knows what is passive.
 */
@Injectable()
export class ExpressEntrance {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly platform: ExpressSessionPlatform,
    private readonly options: SessionSecurityOptions,
  ) {}

  /** Directly on the adapter: the middleware must see addresses outside of the global prefix too. */
  open(application: ExpressApplication): void {
    application.use(this.use);
    application.use(this.useOnError);
    application.use(this.refusePing);
  }

  readonly use = (request: ExpressSessionRequest, _response: unknown, next: Next): void => {
    const state = this.enforcer.enforce(request);
    if (state instanceof Promise) state.then((found) => this.#goOn(request, found, next), next);
    else this.#goOn(request, state, next);
  };

  /** The session library could not read the very first session, before its store was guarded. */
  readonly useOnError = (
    error: unknown,
    request: ExpressSessionRequest,
    response: unknown,
    next: Next,
  ): void => {
    if (!this.platform.couldNotRead(request, error)) return next(error);
    this.use(request, response, next);
  };

  /** A ping whose body the parser refuses is answered as the rest of the wire is. */
  readonly refusePing = (
    error: { status?: number },
    request: SessionSecurityRequest,
    response: ResponseHeaders,
    next: Next,
  ): void => {
    const problem = isPingAddress(request, this.options.path) ? malformedBody(error.status) : undefined;
    next(problem ? new ProblemException(problem, response) : error);
  };

  /**
   * Who came as nobody may be signed in by a callback, when the handler has long returned, or by one that ends the response
   * itself. So it is looked once more before the response ends, and with that the session is saved.
   */
  #goOn(request: ExpressSessionRequest, { outcome }: RequestState, next: Next): void {
    if (outcome !== 'watched') this.platform.beforeEnd(request, () => this.enforcer.settleLast(request));
    next();
  }
}
