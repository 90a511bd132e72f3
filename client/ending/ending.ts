import type { StartValues } from '../core/answer.js';
import type { MonitorEvents } from '../core/ports.js';
import type { SessionSecurityClient } from '../session-security-client.js';
import { leave } from './leave.js';
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

/** What becomes of a covered page whose session has ended. Who signed out is done with it. */
export function end(page: EndedPage): void {
  const { detail, settings } = page;
  const { redirectTo = settings.loginUrl, reason } = detail;
  if (reason === 'logout') leave(settings.logoutUrl ?? redirectTo);
  else if (settings.onExpire === 'lock') lockPage(page, redirectTo);
  else leave(redirectTo, settings.returnParameter);
}
