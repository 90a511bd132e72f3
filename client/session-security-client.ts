import type { StartValues } from './core/answer.js';
import type { MonitorOptions, MonitorPorts } from './core/ports.js';
import type { SessionMonitor } from './core/session-monitor.js';
import type { DialogFactory, WarningDialog } from './dialog/warning-dialog.js';
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

/**
 * Leaving, locking and signing out are loaded when the end comes near, so that pages do not carry what most never need.
 * Undefined when that failed; it is tried again the next time.
 */
const loadEnding = () => import('./ending/ending.js').catch(() => undefined);

/** Puts the monitor into the page: its decisions become events, the cover, the dialog and the way out. */
export function createClient(options: StartOptions, createDialog?: DialogFactory): SessionSecurityClient {
  const client = new EventTarget() as SessionSecurityClient;
  const { path = '/session-security' } = options;
  const cover = pageCover();
  let monitor: SessionMonitor;
  let listening = new AbortController();
  let settings: Partial<StartValues> = options;
  let owner: string;
  let dialog: WarningDialog | undefined;

  const notify: MonitorPorts['notify'] = (type, detail) => {
    const wanted = client.dispatchEvent(new CustomEvent(type, { cancelable: true, detail }));
    // The dialog before the cover: closing it gives the focus back to where the cover finds it.
    if (wanted) dialog?.[type]?.(detail as never);
    // Not knowing is no reason to show a page that was locked.
    if (type !== 'error') cover(monitor.isHidden());
    if (type === 'warn' || type === 'cover')
      void loadEnding().then((ending) => ending?.prepare(client, settings, listening.signal));
    if (type !== 'expire') return;
    listening.abort();
    // The application takes over what is seen.
    if (!wanted || settings.onExpire === 'event') return cover(false);
    listening = new AbortController();
    void loadEnding().then((ending) =>
      ending
        ? ending.end({ client, settings, detail, owner, path, signal: listening.signal, resume: begin })
        : location.replace(location.href.split('#')[0]!),
    );
  };
  /** @param expected the owner for whom the page is, if it says so */
  const begin = (expected?: string): void => {
    const language = options.language || document.documentElement.lang;
    monitor = createPageMonitor(path, { ...options, language, owner: expected }, listening.signal, {
      watch(values, current) {
        settings = values;
        owner = current;
        if (settings.dialog !== false) dialog ??= createDialog?.(client, settings);
      },
      notify,
    });
    Object.assign(client, monitor, {
      async signOut() {
        const ending = await loadEnding();
        if (ending) return ending.signOut(monitor.send, monitor.finish, notify);
        notify('error', { request: 'end', status: 0 });
        return false;
      },
      destroy() {
        const isKnown = monitor.phase() !== 'starting';
        monitor.destroy();
        if (isKnown) cover(monitor.isHidden());
        listening.abort();
        dialog?.remove();
        delete window.sessionSecurity;
      },
    });
    monitor.start();
  };
  begin(options.owner);
  return client;
}
