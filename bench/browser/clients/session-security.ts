import type {} from '../../../client/index.js';
import type { Mount } from './mount.js';

/** Ours, which its own script tag has started. It finds limits and addresses itself, and leaves the page itself. */
export const mount: Mount = (_limits, hooks) => {
  const client = globalThis.sessionSecurity!;
  client.addEventListener('warn', hooks.warned);
  client.addEventListener('active', hooks.active);
  return {
    ready: () => client.phase() !== 'starting',
    stay: () =>
      document.querySelector('session-security-dialog')?.shadowRoot?.getElementById('stay')?.click(),
  };
};
