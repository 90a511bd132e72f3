import type { SessionSecurityRequest } from '../options/index.js';

/**
 * True if a state-changing request does not come from this very origin: by Fetch Metadata (`Sec-Fetch-Site`), else by
 * `Origin`. Callers without either header are no browsers and carry no ambient cookies. ASVS 5.0 3.5.1 to 3.5.3.
 */
export function isCrossSite({ headers }: SessionSecurityRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin';
  const origin = headers['origin'];
  if (typeof origin !== 'string') return false;
  try {
    return new URL(origin).host !== headers['host'];
  } catch {
    return true;
  }
}

/**
 * True if a page of another site made the request, other than by sending the whole window here, as links and sign-ins
 * elsewhere do. Other hosts of the same site count as ours where the browser tells them apart (`same-site`), and so do
 * addresses that the user typed (`none`).
 */
export function isForeignCall(request: SessionSecurityRequest): boolean {
  const { headers } = request;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'cross-site') return false;
  const isWindow = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !isWindow && isCrossSite(request);
}
