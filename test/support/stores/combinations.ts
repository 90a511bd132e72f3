import type { SessionOptions } from 'express-session';
import { ADAPTER } from '../adapters.js';
import { STORE_KINDS, type StoreKind } from './kinds.js';

/** How an application may have set up its sessions, as far as stores and races are concerned. */
export interface Combination {
  readonly kind: StoreKind;
  readonly resave: boolean;
  readonly rolling: boolean;
}

const EITHER = [false, true];
/** What `resave` writes on Express, `rolling` writes on Fastify. */
const RESAVE = ADAPTER === 'express' ? EITHER : [false];

export const COMBINATIONS: readonly Combination[] = STORE_KINDS.flatMap(({ kind }) =>
  RESAVE.flatMap((resave) => EITHER.map((rolling) => ({ kind, resave, rolling }))),
);

/** Cookies that are renewed with every response have an age, or there would be nothing to renew. */
export function sessionOptions({ resave, rolling }: Combination): Partial<SessionOptions> {
  return { resave, rolling, ...(rolling ? { cookie: { maxAge: 3_600_000 } } : {}) };
}
