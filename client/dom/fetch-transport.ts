import type { Transport } from '../core/ports.js';

/**
 * Sends the monitor's requests with `fetch`.
 *
 * @param base address of the module's routes, without a slash at the end
 */
export function fetchTransport(base: string): Transport {
  return async (path, body, limitMs, leaving) => {
    const response = await fetch(`${base}/${path}`, {
      method: body ? 'POST' : 'GET',
      body: body && JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'session-security' },
      cache: 'no-store',
      // A followed redirect to the sign-in page would look like success: 200 and HTML.
      redirect: 'manual',
      keepalive: leaving,
      signal: AbortSignal.timeout(limitMs),
    });
    return {
      // An unfollowed redirect has no status that a script may see.
      status: response.type === 'opaqueredirect' ? 302 : response.status,
      retryAfter: response.headers.get('Retry-After'),
      body: await response.json().catch(() => undefined),
    };
  };
}
