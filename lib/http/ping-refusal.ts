import { HttpStatus } from '@nestjs/common';
import type { SessionSecurityRequest } from '../options/index.js';
import type { Problem } from './problem.js';
import { pathOf, targetOf } from './request-path.js';

/** Does the request ask for the ping, wherever the application is mounted? */
export function isPingAddress(request: SessionSecurityRequest, path: string): boolean {
  return pathOf(targetOf(request)).replace(/\/$/, '').endsWith(`/${path}/ping`);
}

/**
 * What to say of a ping whose body a parser has refused with this status (broken JSON, too large, unknown encoding);
 * `undefined` if the body is not to blame.
 */
export function malformedBody(status = 0): Problem | undefined {
  if (status < 400 || status >= 500) return undefined;
  return { status, title: 'Refused ping', detail: detailOf(status), code: 'malformed_ping' };
}

function detailOf(status: HttpStatus): string {
  switch (status) {
    case HttpStatus.PAYLOAD_TOO_LARGE:
      return 'The body is too large.';
    case HttpStatus.UNSUPPORTED_MEDIA_TYPE:
      return 'The body must be application/json.';
    default:
      return 'The body cannot be read as JSON.';
  }
}
