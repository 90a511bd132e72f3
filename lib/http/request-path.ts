import type { SessionSecurityRequest } from '../options/index.js';

/**
 * What a request asks for, as path and query. A request line may hold a whole URL instead (RFC 9112 section 3.2.2), as
 * some proxies write it; routes are matched by its path all the same.
 */
export function targetOf({ url, originalUrl = url }: SessionSecurityRequest): string {
  return withoutOrigin(originalUrl);
}

/** As {@link targetOf}, for a target that is known. */
export function withoutOrigin(target: string): string {
  return target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '') || '/';
}

/**
 * The way back to what a request asked for: a path that browsers never take for another site, however many slashes
 * somebody has put before it in a link.
 */
export function returnPathOf(request: SessionSecurityRequest): string {
  return `/${targetOf(request).replace(/^[/\\\s]+/, '')}`;
}

/** Without query and fragment. */
export function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0]!;
}
