import SessionActivityService from 'hmrc-frontend/hmrc/components/timeout-dialog/session-activity-service';
import TimeoutDialog from 'hmrc-frontend/hmrc/components/timeout-dialog/timeout-dialog';
import type { Mount } from './mount.js';

const STAY = '#hmrc-timeout-keep-signin-btn';

/** With `synchronise-tabs`. Counts page loads and "Stay signed in" only, by design, and leaves the page itself. */
export const mount: Mount = ({ warnAfter, expireAfter }, hooks) => {
  const element = document.createElement('meta');
  const options = {
    timeout: expireAfter,
    countdown: expireAfter - warnAfter,
    'keep-alive-url': '/keep-alive',
    'sign-out-url': '/signed-out',
    'synchronise-tabs': true,
  };
  for (const [name, value] of Object.entries(options)) element.setAttribute(`data-${name}`, `${value}`);
  const dialogs = new MutationObserver(() =>
    document.querySelector(STAY) ? hooks.warned() : hooks.active(),
  );
  dialogs.observe(document.body, { childList: true, subtree: true });
  new TimeoutDialog(element, new SessionActivityService(BroadcastChannel)).init();
  return { stay: () => document.querySelector<HTMLElement>(STAY)?.click() };
};
