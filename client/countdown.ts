import { clockText, spokenTime } from './dialog/countdown.js';
import type { SessionSecurityClient } from './session-security-client.js';

const EVENTS = ['active', 'warn', 'tick', 'extended', 'cover', 'expire'] as const;
/** How often to look for the client while the page has none yet, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** Importing this on a server, where there are no elements, does nothing. */
const Base = globalThis.HTMLElement ?? Object;

/**
 * `<session-countdown>`: the time left, anywhere in the page; hidden while there is nothing to count down.
 *
 * - `always`: shows the time also before the warning
 * - `page-title="Signing out {time}"`: says so in the tab's title during a warning, as rarely as the dialog speaks
 */
export class SessionCountdown extends Base {
  #client: SessionSecurityClient | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ownTitle = '';
  #pageTitle = '';
  #words: ((remaining: number) => string) | undefined;

  connectedCallback(): void {
    // Screen readers must not read a clock by themselves every second.
    this.setAttribute('role', 'timer');
    this.hidden = true;
    this.#find();
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
    for (const type of EVENTS) this.#client?.removeEventListener(type, this.#show);
    this.#client = undefined;
    this.#entitle(undefined);
  }

  #find(): void {
    clearInterval(this.#timer);
    this.#client = globalThis.sessionSecurity;
    if (!this.#client) {
      this.#timer = setInterval(() => globalThis.sessionSecurity && this.#find(), LOOK_EVERY_MS);
      return;
    }
    for (const type of EVENTS) this.#client.addEventListener(type, this.#show);
    if (this.hasAttribute('always')) this.#timer = setInterval(this.#show, 1000);
    this.#show();
  }

  readonly #show = (): void => {
    const remaining = this.#client?.remaining() ?? Infinity;
    const warning = this.#client?.phase() === 'warning';
    this.hidden = !Number.isFinite(remaining) || !(warning || this.hasAttribute('always'));
    this.textContent = this.hidden ? '' : clockText(remaining);
    this.#entitle(warning ? remaining : undefined);
  };

  #entitle(remaining: number | undefined): void {
    const text = this.getAttribute('page-title');
    if (text !== null && remaining !== undefined) {
      if (document.title !== this.#ownTitle) this.#pageTitle = document.title;
      this.#words ??= spokenTime(this.#format());
      const title = `${text.replace('{time}', this.#words(remaining))} – ${this.#pageTitle}`;
      if (title !== this.#ownTitle) this.#ownTitle = document.title = title;
    } else if (this.#ownTitle !== '') {
      // A title that the application has set meanwhile is left alone.
      if (document.title === this.#ownTitle) document.title = this.#pageTitle;
      this.#ownTitle = '';
      this.#words = undefined;
    }
  }

  #format(): Intl.RelativeTimeFormat {
    const language = this.closest<HTMLElement>('[lang]')?.lang;
    try {
      return new Intl.RelativeTimeFormat(language || navigator.language);
    } catch {
      return new Intl.RelativeTimeFormat('en');
    }
  }
}

if (globalThis.customElements && !customElements.get('session-countdown'))
  customElements.define('session-countdown', SessionCountdown);
