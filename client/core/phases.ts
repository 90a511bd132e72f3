import type { Phase } from './ports.js';

/**
 * The phases in an order that answers most questions by one comparison: up to EXPIRED all is over, from ACTIVE on time is
 * running. A session that is being watched is in one of the latter on the server too.
 */
export const PHASES = [
  'inert',
  'expired',
  'covered',
  'starting',
  'active',
  'warning',
  'warning',
] as readonly Phase[];
export const INERT = 0;
export const EXPIRED = 1;
export const COVERED = 2;
export const STARTING = 3;
export const ACTIVE = 4;
export const WARNING = 5;
/** Warned of the absolute limit, which activity cannot move. */
export const FINAL = 6;
