/**
 * How long a server wants to be left alone, in milliseconds: `Retry-After` is a number of seconds or an HTTP date
 * (RFC 9110, section 10.2.3). Anything else is no wish.
 */
export function retryAfterMs(header: string | null | undefined, wallMs: number): number {
  const seconds = Number(header);
  const wait = seconds >= 0 ? seconds * 1000 : Date.parse(header!) - wallMs;
  return Math.max(0, wait || 0);
}
