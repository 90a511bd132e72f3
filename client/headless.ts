import { createClient } from './session-security-client.js';
import type { SessionSecurityClient, StartOptions } from './session-security-client.js';
import type { DialogFactory } from './dialog/warning-dialog.js';

export type { SessionSecurityClient, StartOptions } from './session-security-client.js';
export type { SessionSecurityEventMap } from './typed-event-target.js';
export type { EndReason, StartValues } from './core/answer.js';
export type { MonitorEvents, Phase, Standing } from './core/ports.js';
export type { DialogActions, DialogFactory, WarningDialog } from './dialog/warning-dialog.js';

declare global {
  /** The one global of the client: what `start()` answered first on this page. */
  var sessionSecurity: SessionSecurityClient | undefined;
}

/**
 * Starts watching this page's session without a dialog, or with the application's own. Starting twice answers the same
 * instance, whichever entry started it, so that two scripts on one page do not ask and warn twice.
 *
 * @param options replaces what the server's configuration says
 * @param createDialog builds the dialog when there is something to watch
 */
export function start(options: StartOptions = {}, createDialog?: DialogFactory): SessionSecurityClient {
  // What somebody has written into the page may have an element of that id, or a form with a field `stay`.
  if (!window.sessionSecurity?.stay?.call) window.sessionSecurity = createClient(options, createDialog);
  return window.sessionSecurity;
}
