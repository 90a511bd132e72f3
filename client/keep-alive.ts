import type { SessionSecurityClient } from './session-security-client.js';

const COUNT_EVERY_MS = 1000;

/**
 * Counts as activity while something goes on that a person waits for: a video or a sound while it plays, an upload until
 * its promise is settled. The absolute limit of the session is not moved by it.
 *
 * @example
 * import { keepAlive } from 'nestjs-session-security/client/keep-alive';
 * keepAlive(start(), document.querySelector('video')!);
 * keepAlive(start(), fetch('/images', { method: 'POST', body: file }));
 *
 * @returns stops it
 */
export function keepAlive(
  client: Pick<SessionSecurityClient, 'activity'>,
  during: HTMLMediaElement | Promise<unknown>,
): () => void {
  const count = (): void => client.activity();
  if (during instanceof Promise) {
    count();
    const timer = setInterval(count, COUNT_EVERY_MS);
    const stop = (): void => clearInterval(timer);
    during.then(stop, stop);
    return stop;
  }
  const listening = new AbortController();
  // Comes several times a second while it plays, and once when the position is set while it does not.
  during.addEventListener('timeupdate', () => during.paused || count(), { signal: listening.signal });
  return () => listening.abort();
}
