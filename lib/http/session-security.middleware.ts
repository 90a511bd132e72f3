import { Injectable } from '@nestjs/common';
import type { SessionSecurityRequest } from '../options/index.js';
import type { SessionSecurityResponse } from './cookies.js';
import { ProblemException } from './problem.js';
import { pathOf, targetOf } from './request-path.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';

type Next = (error?: unknown) => void;

/**
 * Early Express middleware: enforces for requests that reach no controller (static files, unknown addresses, raw
 * handlers). It never counts activity; only the guard knows what is passive.
 */
@Injectable()
export class SessionSecurityMiddleware {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly platform: SessionPlatform,
  ) {}

  readonly use = (request: SessionSecurityRequest, _response: SessionSecurityResponse, next: Next): void => {
    const state = this.enforcer.enforce(request);
    if (state instanceof Promise) state.then(() => next(), next);
    else next();
  };

  /** The session library could not read the very first session, before its store was guarded. */
  readonly useOnError = (
    error: unknown,
    request: SessionSecurityRequest,
    response: SessionSecurityResponse,
    next: Next,
  ): void => {
    if (!this.platform.couldNotRead(request, error)) return next(error);
    this.use(request, response, next);
  };
}

/** What body parsers attach to the errors they hand on. */
interface ParseError {
  status?: number;
  type?: string;
}

/**
 * Express error middleware for the ping alone: what a body parser refuses (broken JSON, too large, unknown encoding) is
 * answered as the rest of the wire is, as problem+json.
 */
export function pingParseErrors(path: string) {
  const ending = `/${path}/ping`;
  return (
    error: ParseError,
    request: SessionSecurityRequest,
    response: SessionSecurityResponse,
    next: Next,
  ): void => {
    const address = pathOf(targetOf(request)).replace(/\/$/, '');
    const status = error.status ?? 0;
    if (!address.endsWith(ending) || status < 400 || status >= 500) return next(error);
    const detail =
      error.type === 'entity.too.large' ? 'The body is too large.' : 'The body cannot be read as JSON.';
    next(new ProblemException({ status, title: 'Refused ping', detail, code: 'malformed_ping' }, response));
  };
}
