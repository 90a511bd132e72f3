import { asksFor, nearestWith } from './asks-for.js';
import { formProperty } from './form-property.js';

export const GUARD_ATTRIBUTE = 'data-session-guard';

/** Asks before a page with unsaved work is left. */
export interface LeaveGuard {
  /** What is dirty may have changed. */
  update: () => void;
  /** Switches the guard on or off. */
  turn: (on: boolean) => void;
}

/**
 * A form that is sent by GET (a search, a filter) holds no work. Without a method a form is a GET form too, unless a
 * script sends it: then the form itself asks to be guarded.
 */
export function isGuarded(form: HTMLFormElement, everywhere: boolean): boolean {
  if (!asksFor(form, GUARD_ATTRIBUTE, everywhere)) return false;
  if (form.hasAttribute('method')) return formProperty(form, 'method') === 'post';
  return nearestWith(form, GUARD_ATTRIBUTE) === form;
}

/** Whether a submit takes this page away. */
function leavesPage({ target, submitter, defaultPrevented }: SubmitEvent): boolean {
  const form = target as HTMLFormElement;
  const frame = submitter?.getAttribute('formtarget') ?? formProperty(form, 'target');
  const isSent = !defaultPrevented && formProperty(form, 'method') !== 'dialog';
  return isSent && ['', '_self', '_top', '_parent'].includes(frame);
}

/**
 * Listens to `beforeunload` only while there is something to lose: a page with such a listener is kept out of Firefox's
 * back/forward cache (https://web.dev/articles/bfcache#only-add-beforeunload-listeners-conditionally). The application's
 * own `onbeforeunload` is left alone.
 *
 * @param dirtyForms guarded forms that hold unsaved work
 */
export function leaveGuard(dirtyForms: () => HTMLFormElement[], signal: AbortSignal): LeaveGuard {
  let isOn = true;
  let listening: AbortController | undefined;
  let sent: SubmitEvent | undefined;

  const ask = (event: BeforeUnloadEvent): void => {
    const leaving = sent && leavesPage(sent) ? sent.target : undefined;
    // A submit that failed (a download, a 204) leaves the page where it is, with the work still in it.
    sent = undefined;
    if (!dirtyForms().some((form) => form !== leaving)) return;
    event.preventDefault();
    // Chromium before 119 asks only so (https://developer.mozilla.org/docs/Web/API/Window/beforeunload_event).
    event.returnValue = true;
  };
  const update = (): void => {
    const needed = isOn && !signal.aborted && dirtyForms().length > 0;
    if (needed === !!listening) return;
    listening?.abort();
    listening = needed ? new AbortController() : undefined;
    if (listening) addEventListener('beforeunload', ask, { signal: listening.signal });
  };
  addEventListener('submit', (event) => (sent = event), { capture: true, signal });
  signal.addEventListener('abort', update);
  return {
    update,
    turn(on) {
      isOn = on;
      update();
    },
  };
}
