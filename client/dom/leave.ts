/**
 * Leaves the page by a GET that replaces it in the history, so that no form is sent again and Back does not return.
 *
 * @param url where to go; none, or an address that is none: the same page again
 * @param returnParameter names the query parameter that carries the way back; a path, so it never leaves the origin
 */
export function leave(url?: string | null, returnParameter?: string | null): void {
  const { href, pathname, search, hash } = location;
  // Without the fragment: with it, replacing a page by itself would not load it again.
  let target = new URL(href.split('#')[0]!);
  try {
    target = new URL(url ?? '', target);
  } catch {
    // The server will say where to go when this page is loaded again.
  }
  // A path that starts with two slashes would be read as another host.
  if (url && returnParameter)
    target.searchParams.set(returnParameter, pathname.replace(/^\/+/, '/') + search + hash);
  location.replace(target);
}
