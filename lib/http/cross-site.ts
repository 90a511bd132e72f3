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
