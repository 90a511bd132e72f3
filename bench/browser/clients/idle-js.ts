import IdleJs from 'idle-js';
import type { Mount } from './mount.js';

/** Knows one limit only, so nothing warns. */
export const mount: Mount = ({ expireAfter }, hooks) => {
  new IdleJs({ idle: expireAfter * 1000, onIdle: hooks.expired, onActive: hooks.active }).start();
};
