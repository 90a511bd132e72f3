import { dialogHost } from '../dialog/dialog-host.js';
import { ENGLISH } from './texts.js';

/**
 * What stands on a locked page: why, and the way back in.
 *
 * @param texts replace the built-in ones
 * @param signIn the person wants to sign in
 */
export function lockPanel(
  texts: Record<string, string> | null | undefined,
  signIn: () => void,
): { remove: () => void } {
  const words = { ...ENGLISH, ...texts };
  const [host, root, create] = dialogHost(words);
  const dialog = create('dialog', 'dialog', { role: 'alertdialog', closedBy: 'none' });
  const title = create('h2', 'title', { textContent: words.lockedTitle });
  const message = create('p', 'message', { textContent: words.lockedText });
  const button = create('button', 'sign-in', { textContent: words.signIn, autofocus: true, onclick: signIn });
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
