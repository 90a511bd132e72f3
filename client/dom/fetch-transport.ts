import type { Transport } from '../core/ports.js';

/**
 * Sends the monitor's requests with `fetch`.
 *
 * @param base address of the module's routes, without a slash at the end
 */
export function fetchTransport(base: string): Transport {
  return async (path, body, limitMs) => {
    const response = await fetch(`${base}/${path}`, {
      method: (body && 'POST') as string,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
      cache: 'no-store',
      // A followed redirect to the sign-in page would look like success: 200 and HTML.
      redirect: 'manual',
      // What is told when the page goes away has to outlive it.
      keepalive: true,
      signal: AbortSignal.timeout(limitMs),
    });
    return {
      // Of a redirect that was not followed, a script may not see the status.
      status: response.status || 302,
      retryAfter: response.headers.get('Retry-After'),
      body: await response.json().catch(() => undefined),
    };
  };
}
