import type { StartValues } from './core/answer.js';
import type { MonitorOptions, MonitorPorts } from './core/ports.js';
import type { SessionMonitor } from './core/session-monitor.js';
import { signOut } from './core/sign-out.js';
import type { DialogFactory, WarningDialog } from './dialog/warning-dialog.js';
import { leave } from './dom/leave.js';
import { pageCover } from './dom/page-cover.js';
import { createPageMonitor } from './dom/page-monitor.js';
import type { FormsKeeper } from './drafts/forms-keeper.js';
import type { TypedEventTarget } from './typed-event-target.js';

/** How to start. Everything but `path` and `owner` replaces what the server's configuration says. */
export interface StartOptions extends MonitorOptions {
  /** Address of the module's routes, without a slash at the end. Default: `/session-security`. */
  path?: string | undefined;
}

/**
 * Watches this page's session: warns before it ends, keeps it alive while the person is active, hides the page when it
 * has ended.
 *
 * @example
 * client.addEventListener('warn', (event) => console.log(`${event.detail.remaining} s left`));
 */
export interface SessionSecurityClient
  extends TypedEventTarget, Pick<SessionMonitor, 'phase' | 'remaining' | 'activity' | 'stay'> {
  /** Ends the session on the server. Answers whether that worked. */
  signOut: () => Promise<boolean>;
  /** Stops for good and leaves no timer, listener, channel or element behind. A page that has ended stays hidden. */
  destroy: () => void;
  /** Guard and drafts, once they are loaded: `nestjs-session-security/client/drafts`. */
  forms?: FormsKeeper;
}

/** Puts the monitor into the page: its decisions become events, the cover, the dialog and the way out. */
export function createClient(options: StartOptions, createDialog?: DialogFactory): SessionSecurityClient {
  const target = new EventTarget();
  const listening = new AbortController();
  const { signal } = listening;
  const cover = pageCover();
  let settings: Partial<StartValues> = options;
  let dialog: WarningDialog | undefined;

  const notify: MonitorPorts['notify'] = (...[type, detail]) => {
    const wanted = target.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
    // The dialog before the cover: closing it gives the focus back to where the cover finds it.
    if (wanted) dialog?.[type]?.(detail as never);
    cover(monitor.isHidden());
    if (type !== 'expire') return;
    listening.abort();
    // The application takes over what is seen.
    if (!wanted || settings.onExpire === 'event') return cover(false);
    const { redirectTo = settings.loginUrl, reason } = detail;
    if (reason === 'logout') leave(settings.logoutUrl ?? redirectTo);
    else leave(redirectTo, settings.returnParameter);
  };
  const monitor = createPageMonitor(options.path ?? '/session-security', options, signal, {
    watch(values) {
      settings = values;
      if (settings.dialog !== false) dialog = createDialog?.(client, settings);
    },
    notify,
  });

  const client: SessionSecurityClient = Object.assign(target, monitor, {
    signOut: () => signOut(monitor, notify),
    destroy() {
      monitor.destroy();
      cover(monitor.isHidden());
      listening.abort();
      dialog?.remove();
      delete globalThis.sessionSecurity;
    },
  });
  monitor.start();
  return client;
}
