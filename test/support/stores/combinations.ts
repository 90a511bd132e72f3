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

const ON_EXPRESS = STORE_KINDS.flatMap(({ kind }) =>
  EITHER.flatMap((resave) => EITHER.map((rolling) => ({ kind, resave, rolling }))),
);

/** What `resave` writes on Express, `rolling` writes on Fastify: each with memory, one of them with each other store. */
const ON_FASTIFY = [
  { kind: 'memory', resave: false, rolling: false },
  { kind: 'memory', resave: false, rolling: true },
  { kind: 'redis', resave: false, rolling: true },
  { kind: 'file', resave: false, rolling: false },
  { kind: 'sql', resave: false, rolling: true },
] as const;

export const COMBINATIONS: readonly Combination[] = ADAPTER === 'express' ? ON_EXPRESS : ON_FASTIFY;

/** Cookies that are renewed with every response have an age, or there would be nothing to renew. */
export function sessionOptions({ resave, rolling }: Combination): Partial<SessionOptions> {
  return { resave, rolling, ...(rolling ? { cookie: { maxAge: 3_600_000 } } : {}) };
}
