import { readReply, userOf } from '../core/answer.js';
import { fetchTransport } from '../dom/fetch-transport.js';
import { listen } from '../dom/listen.js';
import { tabChannel } from '../dom/tab-channel.js';
import type { EndedPage } from './ending.js';
import { addressOf, leave } from './leave.js';
import { lockPanel } from './lock-panel.js';

const LONGEST_REQUEST_MS = 10_000;
/** How soon the server is asked again when it could not be reached. */
const ASK_AGAIN_AFTER_MS = 5000;

/**
 * Keeps a page covered, with all that is in it, until somebody is signed in. The same user gets it back as it was, anybody
 * else a fresh page. Pages that start tell by the tab channel who is signed in; coming back to this one shows it too. What
 * is asked moves nothing on the server.
 *
 * @param signInUrl opened in a window of its own, so that this page stays
 */
export function lockPage(
  { client, settings, owner, path, signal, resume }: EndedPage,
  signInUrl?: string | null,
): void {
  const locked = new AbortController();
  const transport = fetchTransport(path);
  let channel: ReturnType<typeof tabChannel>;
  let isLooking = false;
  let looksAgain = false;
  let signInWindow: Window | null = null;

  const signIn = (): void => {
    signInWindow = window.open(addressOf(signInUrl), '_blank', 'popup,width=600,height=700');
    // Where people sign in, nobody has to know this page.
    if (signInWindow) signInWindow.opener = null;
  };
  const panel = settings.dialog === false ? undefined : lockPanel(settings.texts, signIn);

  const look = async (): Promise<void> => {
    // What is said while the server answers may be newer than its answer.
    looksAgain = isLooking;
    if (isLooking || locked.signal.aborted) return;
    isLooking = true;
    const answer = readReply(await transport('ping', undefined, LONGEST_REQUEST_MS).catch(() => undefined));
    isLooking = false;
    if (locked.signal.aborted) return;
    if (!answer?.owner) {
      if (looksAgain) void look();
      else if (!answer) setTimeout(() => void look(), ASK_AGAIN_AFTER_MS);
      return;
    }
    locked.abort();
    signInWindow?.close();
    if (userOf(answer.owner) === userOf(owner)) resume(answer.owner);
    else leave();
  };
  const follow = ({ type }: Event): void => {
    // A message to a page in the back/forward cache would evict it.
    channel?.close();
    channel = undefined;
    if (type === 'pagehide') return;
    hear();
    void look();
  };
  const hear = (): void => {
    channel = tabChannel(`session-security:${settings.application}`, () => void look());
  };

  signal.addEventListener('abort', () => {
    locked.abort();
    panel?.remove();
  });
  locked.signal.addEventListener('abort', () => channel?.close());
  // Not before the page itself has heard from the server: until then it says why nothing is seen.
  client.addEventListener('active', () => panel?.remove(), { signal });
  listen(['focus', 'visibilitychange', 'resume', 'online', 'pageshow', 'pagehide'], follow, locked.signal);
  hear();
  // The application may sign in by itself: then this is how it says so.
  client.stay = () => void look();
  // Somebody may be signed in already, in another tab.
  void look();
}
