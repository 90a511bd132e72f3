import { nativeDialog } from './dialog/warning-dialog.js';
import { start as startHeadless } from './headless.js';
import type { SessionSecurityClient, StartOptions } from './headless.js';
import type { DialogFactory } from './dialog/warning-dialog.js';

export * from './headless.js';
export { nativeDialog };

/**
 * Starts watching this page's session, with the built-in dialog. Starting twice answers the same instance.
 *
 * @example
 * import { start } from 'nestjs-session-security/client';
 * const client = start();
 * client.addEventListener('expire', () => chat.close());
 *
 * @param options replaces what the server's configuration says
 * @param createDialog builds a dialog in place of the built-in one
 */
export function start(
  options: StartOptions = {},
  createDialog: DialogFactory = nativeDialog,
): SessionSecurityClient {
  return startHeadless(options, createDialog);
}
