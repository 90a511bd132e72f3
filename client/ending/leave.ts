/**
 * What an address means on this page.
 *
 * @param url none, or one that leads to no page, such as a `javascript:` address: the same page again. Without its fragment,
 * with which replacing a page by itself would not load it again.
 */
export function addressOf(url?: string | null): URL {
  const page = new URL(location.href.split('#')[0]!);
  try {
    const address = new URL(url ?? '', page);
    if (/^https?:$/.test(address.protocol)) return address;
  } catch {
    // Not an address.
  }
  // The server will say where to go when this page is loaded again.
  return page;
}

/**
 * Leaves the page by a GET that replaces it in the history, so that no form is sent again and Back does not return.
 *
 * @param url where to go
 * @param returnParameter names the query parameter that carries the way back; a path, so it never leaves the origin
 */
export function leave(url?: string | null, returnParameter?: string | null): void {
  const { pathname, search, hash } = location;
  const target = addressOf(url);
  // A path that starts with two slashes would be read as another host.
  if (url && returnParameter)
    target.searchParams.set(returnParameter, pathname.replace(/^\/+/, '/') + search + hash);
  location.replace(target);
}
