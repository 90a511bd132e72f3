import { STYLE } from '../dialog/style.js';
import { HOST_NAME } from '../dom/page-cover.js';
import { ENGLISH } from './texts.js';

/**
 * What stands on a locked page: why, and the way back in. It has the same element and the same parts as the warning, so
 * that what styles the one styles the other.
 *
 * @param texts replace the built-in ones
 * @param signIn the person wants to sign in
 */
export function lockPanel(
  texts: Record<string, string> | null | undefined,
  signIn: () => void,
): { remove: () => void } {
  const { lang, dir, lockedTitle, lockedText, signIn: label } = { ...ENGLISH, ...texts };
  const host = Object.assign(document.createElement(HOST_NAME), { lang, dir });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const create = <Name extends keyof HTMLElementTagNameMap>(name: Name, id: string, properties?: object) =>
    Object.assign(document.createElement(name), { id, part: id }, properties);
  const dialog = create('dialog', 'dialog', { role: 'alertdialog', closedBy: 'none' });
  const title = create('h2', 'title', { textContent: lockedTitle });
  const message = create('p', 'message', { textContent: lockedText });
  const button = create('button', 'sign-in', { textContent: label, autofocus: true, onclick: signIn });
  dialog.setAttribute('aria-labelledby', 'title');
  dialog.setAttribute('aria-describedby', 'message');
  dialog.append(title, message, button);
  root.append(dialog);
  // There is nothing to go on to: Escape does not close it, also at the third press, and Tab stays on the one button.
  dialog.onkeydown = (event) => {
    if (event.key === 'Escape' || event.key === 'Tab') event.preventDefault();
  };
  document.documentElement.append(host);
  dialog.showModal();
  return host;
}
