import { HttpException } from '@nestjs/common';
import type { ResponseHeaders } from './response-headers.js';

/** A problem as RFC 9457 describes it; `code` is for programs. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly [extension: string]: unknown;
}

const PROBLEM_TYPE = 'application/problem+json';

/** Express's response, which answers JSON by a method of its own. */
type JsonResponse = ResponseHeaders & { json(body: unknown): unknown };

/** Answers `application/problem+json`; headers are set before it is thrown, Nest's filter keeps them. */
export class ProblemException extends HttpException {
  constructor(
    readonly problem: Problem,
    response: ResponseHeaders,
  ) {
    super({ type: 'about:blank', ...problem }, problem.status);
    this.message = problem.detail;
    // By this Nest's GraphQL driver knows what is thrown for HTTP; it stays out of the JSON
    // (https://github.com/nestjs/graphql/blob/master/packages/apollo/lib/drivers/apollo-base.driver.ts).
    Object.defineProperty(super.getResponse(), 'statusCode', { value: problem.status });
    answerAsProblem(response);
    response.setHeader('Cache-Control', 'no-store');
  }

  /** What is answered. Nest 11 would take the type of the answer for a mistake, if it found a status code in it. */
  override getResponse(): object {
    return { type: 'about:blank', ...this.problem };
  }
}

/**
 * On Express the type is set with the body. Before that, Nest 11 would replace it: there, what is refused has the type
 * `application/json` or none.
 */
function answerAsProblem(response: ResponseHeaders | JsonResponse): void {
  if (!('json' in response)) return void response.setHeader('Content-Type', PROBLEM_TYPE);
  const json = response.json.bind(response);
  response.json = (body) => {
    response.setHeader('Content-Type', PROBLEM_TYPE);
    return json(body);
  };
}

/** Whose session the request carries cannot be told, because the store fails. */
export function storeUnavailable(response: ResponseHeaders): ProblemException {
  response.setHeader('Retry-After', '5');
  const detail = 'Sessions cannot be looked up at the moment. Try again in a few seconds.';
  return new ProblemException(
    { status: 503, title: 'Sessions are unavailable', detail, code: 'session_store_unavailable' },
    response,
  );
}

/** The user is signed in as often as is allowed (`maxSessionsPerUser`). */
export function tooManySessions(response: ResponseHeaders): ProblemException {
  const detail = 'You are signed in on as many devices as are allowed. Sign out on one of them first.';
  return new ProblemException(
    { status: 403, title: 'Signed in too often', detail, code: 'too_many_sessions' },
    response,
  );
}
