import type { StartValues } from './core/answer.js';
import type { MonitorEvent, MonitorEvents, Phase } from './core/ports.js';
import { SessionMonitor } from './core/session-monitor.js';
import type { DialogFactory, WarningDialog } from './dialog/warning-dialog.js';
import { listenForActivity } from './dom/activity-listeners.js';
import { fetchTransport } from './dom/fetch-transport.js';
import { leave } from './dom/leave.js';
import { pageCover } from './dom/page-cover.js';
import { tabChannel } from './dom/tab-channel.js';
import { tabLock } from './dom/tab-lock.js';
import { listenForWake } from './dom/wake-signals.js';
import { TypedEventTarget } from './typed-event-target.js';

declare global {
  /** The one global of the client: what `start()` answered first on this page. */
  var sessionSecurity: SessionSecurityClient | undefined;
}

/** How to start. Everything but `path` and `owner` replaces what the server's configuration says. */
export interface StartOptions extends Partial<StartValues> {
  /** Address of the module's routes. Default: `/session-security`. */
  path?: string;
  /** The owner for whom the page was rendered, as the server's `clientTag` writes it. */
  owner?: string;
}

/** What is in force where neither the page nor the server says anything. */
const DEFAULTS: StartValues = {
  application: 'session-security',
  loginUrl: null,
  logoutUrl: null,
  returnParameter: 'returnTo',
  onExpire: 'navigate',
  dismiss: 'activity',
  escape: 'stay',
  dialog: true,
  events: null,
  texts: null,
  language: null,
};

/**
 * Watches this page's session: warns before it ends, keeps it alive while the person is active, hides the page when it
 * has ended.
 *
 * @example
 * client.addEventListener('warn', (event) => console.log(`${event.detail.remaining} s left`));
 */
export class SessionSecurityClient extends TypedEventTarget {
  readonly #monitor: SessionMonitor;
  readonly #cover = pageCover();
  readonly #options: StartOptions;
  readonly #createDialog: DialogFactory | undefined;
  readonly #cleanUp: (() => void)[] = [];
  #settings = DEFAULTS;
  #dialog: WarningDialog | undefined;

  constructor(options: StartOptions, createDialog?: DialogFactory) {
    super();
    this.#options = options;
    this.#createDialog = createDialog;
    this.#monitor = new SessionMonitor(
      {
        clock: { wall: () => Date.now(), monotonic: () => performance.now() },
        timers: {
          set: (callback, delayMs) => setTimeout(callback, delayMs),
          clear: (timer) => clearTimeout(timer as number),
        },
        transport: fetchTransport(`${(options.path ?? '/session-security').replace(/\/$/, '')}/`),
        channel: tabChannel,
        lock: tabLock,
        random: () => Math.random(),
        isVisible: () => document.visibilityState === 'visible',
        cover: () => {
          this.#dialog?.close();
          this.#cover.cover();
        },
        uncover: () => {
          this.#dialog?.close();
          this.#cover.uncover();
        },
        settings: (values) => (this.#settings = { ...DEFAULTS, ...values, ...this.#options }),
        watch: () => this.#watch(),
        rest: () => this.#rest(),
        notify: (...event) => this.#notify(...event),
      },
      options.owner,
    );
  }

  /** Where the watch stands. */
  get phase(): Phase {
    return this.#monitor.phase;
  }

  /** Seconds that the person can count on; Infinity when nothing is watched. */
  get remaining(): number {
    return this.#monitor.remaining;
  }

  /** Counts something as activity that no event shows: a call, a video that is being watched. */
  activity(): void {
    this.#monitor.activity();
  }

  /** What the button *Stay signed in* does: asks the server for more time, `extended` or `error` tells the outcome. */
  stay(): void {
    this.#monitor.stay();
  }

  /** Ends the session on the server and leaves the page; answers false (after `error`) when the server was not reached. */
  signOut(): Promise<boolean> {
    return this.#monitor.signOut();
  }

  /** Stops for good and leaves no timer, listener, channel or element behind. */
  destroy(): void {
    this.#monitor.destroy();
    this.#dialog?.remove();
    if (globalThis.sessionSecurity === this) delete globalThis.sessionSecurity;
  }

  /** @internal `start()` calls it */
  start(): this {
    this.#monitor.start();
    return this;
  }

  #watch(): void {
    const { dialog, events } = this.#settings;
    const actions = {
      stay: () => this.stay(),
      signOut: () => void this.signOut(),
      signIn: () => this.#leave(this.#settings.loginUrl),
    };
    if (dialog) this.#dialog = this.#createDialog?.(actions, this.#settings);
    this.#cleanUp.push(
      listenForActivity(() => this.#monitor.activity(), events ?? undefined),
      listenForWake({
        wake: () => this.#monitor.wake(),
        suspend: () => this.#monitor.suspend(),
        restore: () => this.#monitor.restore(),
      }),
    );
  }

  #rest(): void {
    for (const cleanUp of this.#cleanUp.splice(0)) cleanUp();
    this.#dialog?.close();
  }

  #notify(...[type, detail]: MonitorEvent): void {
    const cancelable = type === 'warn' || type === 'expire';
    const wanted = this.dispatchEvent(new CustomEvent(type, { detail, cancelable }));
    const dialog = this.#dialog;
    switch (type) {
      case 'warn':
        if (wanted) dialog?.show(detail.reason, detail.remaining);
        break;
      case 'tick':
        dialog?.tick(detail.remaining);
        break;
      case 'active':
        dialog?.close();
        break;
      case 'error':
        if (this.phase === 'covered') dialog?.show('covered', 0);
        else dialog?.fail();
        break;
      case 'expire':
        this.#expire(detail, wanted);
    }
  }

  #expire({ reason, redirectTo }: MonitorEvents['expire'], wanted: boolean): void {
    const { loginUrl, logoutUrl, onExpire } = this.#settings;
    if (redirectTo === undefined) redirectTo = loginUrl;
    // The application takes over what is seen.
    if (!wanted || onExpire === 'event') this.#cover.uncover();
    else if (reason === 'logout') leave(logoutUrl ?? redirectTo, null);
    else if (onExpire === 'navigate') this.#leave(redirectTo);
    else this.#dialog?.show('ended', 0);
  }

  #leave(url: string | null): void {
    leave(url, this.#settings.returnParameter);
  }
}
