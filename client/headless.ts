import { SessionSecurityClient } from './session-security-client.js';
import type { StartOptions } from './session-security-client.js';
import type { DialogFactory } from './dialog/warning-dialog.js';

export { SessionSecurityClient };
export type { StartOptions } from './session-security-client.js';
export type { SessionSecurityEventMap } from './typed-event-target.js';
export type { EndReason, StartValues } from './core/answer.js';
export type { MonitorEvents, Phase } from './core/ports.js';
export type { DialogActions, DialogFactory, DialogSubject, WarningDialog } from './dialog/warning-dialog.js';

/**
 * Starts watching this page's session without a dialog, or with the application's own. Starting twice answers the same
 * instance, whichever entry started it, so that two scripts on one page do not ask and warn twice.
 *
 * @param options replaces what the server's configuration says
 * @param createDialog builds the dialog when there is something to watch
 * @throws TypeError when `options.events` is not a list of event names
 */
export function start(options: StartOptions = {}, createDialog?: DialogFactory): SessionSecurityClient {
  return (globalThis.sessionSecurity ??= new SessionSecurityClient(options, createDialog).start());
}
