import { listen } from './listen.js';

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
 */
export function followPageLife(page: PageLife, signal: AbortSignal): void {
  const follow = (event: PageTransitionEvent): void =>
    (event.type === 'pagehide' ? page.suspend : event.persisted ? page.restore : page.wake)();
  const names = ['focus', 'visibilitychange', 'resume', 'online', 'pageshow', 'pagehide'];
  listen(names, follow as EventListener, signal);
}
