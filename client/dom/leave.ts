/**
 * Leaves the page by a GET that replaces it in the history, so that no form is sent again and Back does not return.
 *
 * @param url where to go; null, or an address that is none: the same page again
 * @param returnParameter names the query parameter that carries the way back; a path, so it never leaves the origin
 */
export function leave(url: string | null, returnParameter: string | null): void {
  // Without the fragment: with it, replacing a page by itself would not load it again.
  const here = location.href.split('#')[0]!;
  let target = new URL(here);
  try {
    const given = new URL(url ?? here, here);
    if (/^https?:$/.test(given.protocol)) target = given;
  } catch {
    // Not an address: load this page again, the server will say where to go.
  }
  if (url !== null && returnParameter) {
    // A path that starts with two slashes would be read as another host.
    const path = location.pathname.replace(/^\/+/, '/');
    target.searchParams.set(returnParameter, path + location.search + location.hash);
  }
  location.replace(target);
}
