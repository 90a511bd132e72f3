import type { StartValues } from '../core/answer.js';
import { STYLE } from '../dialog/style.js';
import { ENGLISH } from '../dialog/texts.js';
import { HOST_NAME } from '../dom/page-cover.js';
import type { SessionSecurityClient } from '../session-security-client.js';

const LINGER_MS = 5000;
/** No answer to the move that called the warning off takes longer. */
const LONGEST_ANSWER_MS = 10_000;
const PLACE = 'button{position:fixed;inset-block-end:1em;inset-inline-end:1em;z-index:9999;margin:0}';

/**
 * Where any activity calls the warning off, a mouse on its way to *Sign out now* does so too: the button would be gone
 * before it is reached. So it is left in the corner of the page for a while, and for as long as the mouse or the focus is on
 * it. Called when the built-in warning is shown.
 */
export function lingerAfterWarning(
  client: SessionSecurityClient,
  settings: Partial<StartValues>,
  destroyed: AbortSignal,
): void {
  const watching = new AbortController();
  const { signal } = watching;
  const stop = (): void => watching.abort();
  let movedAt = -Infinity;

  const onMove = ({ pointerType, timeStamp }: PointerEvent): void => {
    if (pointerType === 'mouse') movedAt = timeStamp;
  };
  addEventListener('pointermove', onMove, { capture: true, signal });
  // Who has chosen needs no second chance.
  for (const type of ['click', 'keydown']) addEventListener(type, stop, { capture: true, signal });
  for (const type of ['cover', 'expire'] as const) client.addEventListener(type, stop, { signal });
  destroyed.addEventListener('abort', stop, { signal });
  const onActive = (): void => {
    stop();
    if (performance.now() - movedAt < LONGEST_ANSWER_MS) leaveButton(client, settings, destroyed);
  };
  client.addEventListener('active', onActive, { signal });
}

function leaveButton(
  client: SessionSecurityClient,
  { texts }: Partial<StartValues>,
  destroyed: AbortSignal,
): void {
  const { lang, dir, signOut } = { ...ENGLISH, ...texts };
  const host = Object.assign(document.createElement(HOST_NAME), { lang, dir });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE + PLACE);
  root.adoptedStyleSheets = [sheet];
  const button = Object.assign(document.createElement('button'), {
    part: 'sign-out',
    textContent: signOut,
    onclick: () => void client.signOut(),
  });
  root.append(button);
  document.documentElement.append(host);

  const shown = new AbortController();
  const remove = (): void => {
    shown.abort();
    host.remove();
  };
  const fade = (): void => {
    if (button.matches(':hover,:focus')) setTimeout(fade, LINGER_MS);
    else remove();
  };
  setTimeout(fade, LINGER_MS);
  const { signal } = shown;
  for (const type of ['warn', 'cover', 'expire'] as const) client.addEventListener(type, remove, { signal });
  destroyed.addEventListener('abort', remove, { signal });
}
