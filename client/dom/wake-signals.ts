/** What the page's life tells. */
export interface PageLife {
  /** Time may have passed without timers, or the network may be back. */
  wake: () => void;
  /** The page goes away, for good or into the back/forward cache. */
  suspend: () => void;
  /** The page comes out of the back/forward cache as it was. */
  restore: () => void;
}

/**
 * Reports every sign that time has passed unseen. Timers of hidden pages are late by up to a minute, those of frozen and
 * cached pages stand still (https://developer.chrome.com/blog/timer-throttling-in-chrome-88). No `unload` and no
 * `beforeunload`: they would keep the page out of the back/forward cache (https://web.dev/articles/bfcache).
 *
 * @returns removes the listeners
 */
export function listenForWake({ wake, suspend, restore }: PageLife): () => void {
  const stop = new AbortController();
  const listen = (name: string, listener: (event: Event) => void): void =>
    addEventListener(name, listener, { capture: true, signal: stop.signal });
  for (const name of ['focus', 'visibilitychange', 'resume', 'online']) listen(name, wake);
  listen('pageshow', (event) => ((event as PageTransitionEvent).persisted ? restore() : wake()));
  listen('pagehide', suspend);
  return () => stop.abort();
}
