import { DEFAULT_INTERRUPTSOURCES, Idle, LocalStorage, LocalStorageExpiry } from '@ng-idle/core';
import type { NgZone } from '@angular/core';
import type { Mount } from './mount.js';

/** As much of zone.js as it asks for. */
const zoneOfPage = { current: { get: () => false } };

/** Its methods call Angular's zone for nothing but this. */
const zone = {
  run: (work: () => unknown) => work(),
  runOutsideAngular: (work: () => unknown) => work(),
} as unknown as NgZone;

/** Outside Angular, which is replaced by `angular-core.ts`: what is measured is the idle service. */
export const mount: Mount = ({ warnAfter, expireAfter }, hooks) => {
  Object.assign(globalThis, { Zone: zoneOfPage });
  const idle = new Idle(new LocalStorageExpiry(new LocalStorage()), zone);
  idle.setIdle(warnAfter);
  idle.setTimeout(expireAfter - warnAfter);
  idle.setInterrupts(DEFAULT_INTERRUPTSOURCES);
  idle.onIdleStart.subscribe(hooks.warned);
  idle.onIdleEnd.subscribe(hooks.active);
  idle.onTimeout.subscribe(hooks.expired);
  idle.watch();
};
