import type { StartValues } from '../core/answer.js';
import type { MonitorEvents } from '../core/ports.js';
import { clockText, spokenTime } from './countdown.js';
import { dialogHost } from './dialog-host.js';
import { ENGLISH } from './texts.js';

/** What the person can choose. */
export interface DialogActions {
  stay: () => void;
  signOut: () => void;
}

/**
 * A dialog that shows the warning; the built-in one or the application's own. Each method is called after the event of its
 * name, unless a listener prevented that.
 */
export type WarningDialog = { [Type in keyof MonitorEvents]?: (detail: MonitorEvents[Type]) => void } & {
  /** Leaves nothing behind. */
  remove: () => void;
};

export type DialogFactory = (actions: DialogActions, settings: Partial<StartValues>) => WarningDialog;

/** What comes before a click; as activity it would call the warning off. */
const PRESSES = ['keydown', 'pointerdown', 'touchstart'];

/**
 * A native modal dialog in a shadow root: top layer, inert background, and styles that need no exception in the content
 * security policy. Role, names and cadence after the APG's alertdialog and HMRC's research with screen reader users.
 */
export const nativeDialog: DialogFactory = (actions, settings) => {
  const texts = { ...ENGLISH, ...settings.texts };
  const format = new Intl.RelativeTimeFormat(texts.lang);
  const [host, root, create] = dialogHost(texts);
  // Without `closedBy` the third Escape closes the dialog, whatever `cancel` says.
  const dialog = create('dialog', 'dialog', { role: 'alertdialog', closedBy: 'none' });
  const title = create('h2', 'title', { textContent: texts.title });
  const message = create('p', 'message');
  const clock = create('p', 'clock', { ariaHidden: true });
  // Its role is `status`, also in browsers that know roles as attributes only.
  const status = create('output', 'status');
  const error = create('p', 'error', { role: 'alert' });
  const stay = create('button', 'stay', { autofocus: true });
  const signOut = create('button', 'sign-out', { textContent: texts.signOut });
  dialog.setAttribute('aria-labelledby', 'title');
  dialog.setAttribute('aria-describedby', 'message status error');
  dialog.append(title, message, clock, status, error, stay, signOut);
  root.append(dialog);

  let opener: Element | null;
  let pending: boolean;
  /** Undefined while a listener prevents the warning: nothing of the dialog is in the page then. */
  let words: ((seconds: number) => string) | undefined;

  /** @param wait a button that waits keeps the focus; that is why it is not disabled */
  const settle = (wait: boolean, problem = ''): void => {
    pending = wait;
    stay.ariaDisabled = `${wait}`;
    error.textContent = problem;
  };
  const tick = ({ remaining }: MonitorEvents['tick']): void => {
    clock.textContent = clockText(remaining);
    const spoken = texts.time.replace('{time}', words?.(remaining) ?? '');
    // Rewriting the same words would make screen readers say them again.
    if (status.textContent !== spoken) status.textContent = spoken;
  };
  const open = (): void => {
    if (dialog.open) return;
    opener = document.activeElement;
    document.documentElement.append(host);
    dialog.showModal();
  };
  const close = (): void => {
    if (!dialog.open) return;
    dialog.close();
    host.remove();
    // The dialog gives the focus back by itself, unless its opener can no longer take it.
    if ([document.activeElement, document.body].includes(opener)) return;
    const place = document.querySelector<HTMLElement>('main,h1') ?? document.body;
    place.tabIndex = -1;
    place.focus();
  };
  /** Comes before the listeners for activity, because it was there first. */
  const onInput = (event: Event): void => {
    const { key } = event as KeyboardEvent;
    const tab = key === 'Tab';
    const meant = tab || key === 'Escape';
    // What is done to reach or press *Sign out now* must not call the warning off before it has become a click.
    if (!dialog.open || (!meant && event.composedPath()[0] !== signOut)) return;
    event.stopImmediatePropagation();
    if (!meant) return;
    // Prevented here, because `cancel` cannot be the third time; and a modal dialog lets Tab out to the browser.
    event.preventDefault();
    if (tab) (root.activeElement === stay ? signOut : stay).focus();
    // The option names the button; no button is called `ignore`.
    else root.getElementById(settings.escape ?? 'stay')?.click();
  };
  const choose = (action: () => void) => () => {
    if (pending) return;
    settle(true);
    action();
  };
  signOut.onclick = choose(actions.signOut);
  for (const type of PRESSES) addEventListener(type, onInput, true);

  return {
    warn(detail) {
      const { reason } = detail;
      const lifetime = reason === 'lifetime';
      stay.onclick = choose(lifetime ? close : actions.stay);
      message.textContent = texts[reason];
      stay.textContent = lifetime ? texts.close : texts.stay;
      settle(false);
      words = spokenTime(format);
      tick(detail);
      open();
    },
    tick,
    error() {
      const covered = dialog.className;
      settle(!!covered, texts.failed);
      // Covered, the page has to say why, and nothing else.
      if (covered) open();
    },
    active() {
      dialog.className = '';
      close();
    },
    cover() {
      dialog.className = 'covered';
      message.textContent = status.textContent = '';
      close();
    },
    expire: close,
    remove() {
      close();
      for (const type of PRESSES) removeEventListener(type, onInput, true);
    },
  };
};
