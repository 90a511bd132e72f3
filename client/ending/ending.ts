import type { StartValues } from '../core/answer.js';
import type { MonitorEvents } from '../core/ports.js';
import type { SessionSecurityClient } from '../session-security-client.js';
import { HOST_NAME } from '../dom/page-cover.js';
import { leave } from './leave.js';
import { lingerAfterWarning } from './lingering-button.js';
import { lockPage } from './lock-page.js';

export { signOut } from './sign-out.js';

/**
 * A page whose session has ended. The client and this file may be of different versions, because this one is loaded when
 * it is needed: what passes between them has to stay as it is.
 */
export interface EndedPage {
  client: SessionSecurityClient;
  settings: Partial<StartValues>;
  /** How it ended. */
  detail: MonitorEvents['expire'];
  /** For whom the page was. */
  owner: string;
  /** Address of the module's routes, without a slash at the end. */
  path: string;
  /** Ends when the client is destroyed. */
  signal: AbortSignal;
  /** Goes on with the page, which stays covered until the server has confirmed that it is this owner's. */
  resume: (owner: string) => void;
}

/**
 * The end comes near: the warning is shown, or the page is covered.
 *
 * @param destroyed the client is destroyed, or the session has ended
 */
export function prepare(
  client: SessionSecurityClient,
  settings: Partial<StartValues>,
  destroyed: AbortSignal,
): void {
  // An application that has built its own warning decides how long it is shown.
  const isOurs = !!document.querySelector(HOST_NAME);
  if (isOurs && settings.dismiss !== 'button' && client.phase() === 'warning')
    lingerAfterWarning(client, settings, destroyed);
}

/** What becomes of a covered page whose session has ended. Who signed out is done with it. */
export function end(page: EndedPage): void {
  const { detail, settings } = page;
  const { redirectTo = settings.loginUrl, reason } = detail;
  if (reason === 'logout') leave(settings.logoutUrl ?? redirectTo);
  else if (settings.onExpire === 'lock') lockPage(page, redirectTo);
  else leave(redirectTo, settings.returnParameter);
}
