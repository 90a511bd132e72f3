import type { SessionSecurityRequest } from '../options/index.js';
import type { ResponseHeaders } from './response-headers.js';

/** The request's cookies in order, as name and decoded value (RFC 6265 section 4.2). Broken ones are left out. */
export function cookiesOf(request: SessionSecurityRequest): [name: string, value: string][] {
  const header = request.headers['cookie'];
  if (typeof header !== 'string') return [];
  return header.split(';').flatMap((pair): [string, string][] => {
    const equals = pair.indexOf('=');
    if (equals < 0) return [];
    try {
      return [
        [
          pair.slice(0, equals).trim(),
          decodeURIComponent(
            pair
              .slice(equals + 1)
              .trim()
              .replace(/^"|"$/g, ''),
          ),
        ],
      ];
    } catch {
      return [];
    }
  });
}

/** Adds a `Set-Cookie` to those that are there. */
export function appendCookie(response: ResponseHeaders, cookie: string): void {
  if (response.headersSent) return;
  const present = response.getHeader('Set-Cookie');
  const list = present === undefined ? [] : Array.isArray(present) ? present : [String(present)];
  response.setHeader('Set-Cookie', [...list, cookie]);
}
