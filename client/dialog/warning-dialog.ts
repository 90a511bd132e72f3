import type { StartValues } from '../core/answer.js';
import { HOST_NAME } from '../dom/page-cover.js';
import { clockText, spokenTime } from './countdown.js';
import { STYLE } from './style.js';
import { ENGLISH } from './texts.js';

/** What it is about: a warning that can be called off, one that cannot, a page that waits for the server, the end. */
export type DialogSubject = 'idle' | 'lifetime' | 'covered' | 'ended';

/** What the person can choose. */
export interface DialogActions {
  stay: () => void;
  signOut: () => void;
  signIn: () => void;
}

/** A dialog that shows the warning; the built-in one or the application's own. */
export interface WarningDialog {
  /** @param remaining seconds */
  show(subject: DialogSubject, remaining: number): void;
  /** @param remaining seconds */
  tick(remaining: number): void;
  /** The server could not be reached: whatever was pending can be tried again. */
  fail(): void;
  close(): void;
  remove(): void;
}

export type DialogFactory = (actions: DialogActions, settings: StartValues) => WarningDialog;

/** The page's language, else the browser's; a tag that is none would make Intl throw. */
function knownLanguage({ language }: StartValues): string {
  const wanted = [language, document.documentElement.lang, navigator.language, 'en'];
  return wanted.find((tag) => {
    try {
      return tag && Intl.getCanonicalLocales(tag);
    } catch {
      return false;
    }
  })!;
}

/**
 * A native modal dialog in a shadow root: top layer, inert background, and styles that need no exception in the content
 * security policy. Role, names and cadence after the APG's alertdialog and HMRC's research with screen reader users.
 */
export const nativeDialog: DialogFactory = (actions, settings) => {
  const texts = { ...ENGLISH, ...settings.texts };
  const language = knownLanguage(settings);
  // Defined, because pages hide elements that are not: `:not(:defined) { visibility: hidden }`.
  if (!customElements.get(HOST_NAME)) customElements.define(HOST_NAME, class extends HTMLElement {});
  const host = document.createElement(HOST_NAME);
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const add = <Name extends keyof HTMLElementTagNameMap>(
    parent: Node,
    name: Name,
    part: string,
    text = '',
  ) => {
    const element = document.createElement(name);
    element.id = part;
    element.setAttribute('part', part);
    element.textContent = text;
    parent.appendChild(element);
    return element;
  };
  const dialog = add(root, 'dialog', 'dialog');
  const title = add(dialog, 'h2', 'title');
  const message = add(dialog, 'p', 'message');
  const clock = add(dialog, 'p', 'clock');
  const status = add(dialog, 'p', 'status');
  const error = add(dialog, 'p', 'error');
  const stay = add(dialog, 'button', 'stay');
  const signOut = add(dialog, 'button', 'sign-out', texts.signOut);
  const attributes: [Element, string, string][] = [
    [dialog, 'role', 'alertdialog'],
    [dialog, 'aria-labelledby', 'title'],
    [dialog, 'aria-describedby', 'message status'],
    // Without it the third Escape closes the dialog, whatever `cancel` says.
    [dialog, 'closedby', 'none'],
    [clock, 'aria-hidden', 'true'],
    [status, 'role', 'status'],
    [error, 'role', 'alert'],
    [host, 'lang', language],
  ];
  for (const [element, name, value] of attributes) element.setAttribute(name, value);
  stay.autofocus = true;

  let subject: DialogSubject;
  let opener: Element | null;

  /** A button that waits keeps the focus, so it is not disabled for good. */
  const setPending = (pending: boolean): void => {
    for (const button of [stay, signOut]) button.ariaDisabled = `${pending}`;
  };
  const press = (action: () => void) => () => {
    if (stay.ariaDisabled === 'true') return;
    setPending(true);
    error.textContent = '';
    action();
  };
  const tick = (remaining: number): void => {
    clock.textContent = clockText(remaining);
    const spoken = texts.time.replace('{time}', spokenTime(remaining, language));
    // Rewriting the same words would make screen readers say them again.
    if (status.textContent !== spoken) status.textContent = spoken;
  };
  const close = (): void => {
    removeEventListener('keydown', onKey, true);
    if (!dialog.open) return;
    dialog.close();
    if (opener?.isConnected) return;
    // The dialog gives the focus back by itself, unless its opener is gone.
    const place = document.querySelector<HTMLElement>('main,h1') ?? document.body;
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  };
  const onKey = (event: KeyboardEvent): void => {
    const { key } = event;
    if (key !== 'Escape' && key !== 'Tab') return;
    // Prevented here, because `cancel` cannot be the third time; and a modal dialog lets Tab out to the browser.
    event.preventDefault();
    if (key === 'Tab') (root.activeElement === stay ? signOut : stay).focus();
    else if (!clock.hidden && settings.escape !== 'ignore')
      (settings.escape === 'stay' ? stay : signOut).click();
  };
  stay.onclick = press(() =>
    ({ idle: actions.stay, lifetime: close, covered: close, ended: actions.signIn })[subject](),
  );
  signOut.onclick = press(() => actions.signOut());
  dialog.oncancel = (event) => event.preventDefault();

  return {
    show(about, remaining) {
      subject = about;
      [title.textContent, message.textContent, stay.textContent] = {
        idle: [texts.title, texts.message, texts.stay],
        lifetime: [texts.title, texts.lifetime, texts.close],
        covered: [texts.covered, '', ''],
        ended: [texts.ended, '', texts.signIn],
      }[about] as [string, string, string];
      const counting = about === 'idle' || about === 'lifetime';
      for (const element of [message, clock, status, signOut]) element.hidden = !counting;
      stay.hidden = about === 'covered';
      error.textContent = '';
      setPending(false);
      tick(remaining);
      if (dialog.open) return;
      opener = document.activeElement;
      document.documentElement.append(host);
      addEventListener('keydown', onKey, true);
      dialog.showModal();
    },
    tick,
    fail() {
      setPending(false);
      error.textContent = texts.failed;
    },
    close,
    remove() {
      close();
      host.remove();
    },
  };
};
