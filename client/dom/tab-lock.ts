import type { MonitorPorts } from '../core/ports.js';

/** One tab of this browser at a time. Undefined on plain http, which has no locks: there each tab works alone. */
export const tabLock: MonitorPorts['lock'] =
  globalThis.navigator?.locks &&
  ((name, work, wait) =>
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work : wait)()));
