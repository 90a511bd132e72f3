import idleTimeout from 'idle-timeout';
import type { Mount } from './mount.js';

/** Knows one limit only, so nothing warns. */
export const mount: Mount = ({ expireAfter }, hooks) => {
  idleTimeout(() => hooks.expired(), { timeout: expireAfter * 1000 });
};
