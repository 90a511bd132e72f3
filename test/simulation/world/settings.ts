import type { Limits } from '../../../lib/index.js';
import type { Random } from './random.js';

/** How the application of this world is configured; drawn from the seed. Durations in seconds. */
export interface Settings {
  readonly limits: Limits;
  /** Ask a function for the limits of each request, which administrators change. */
  readonly limitsByFunction: boolean;
  readonly flushInterval: number;
  readonly resave: boolean;
  readonly rolling: boolean;
  readonly onExpired: 'anonymous' | 'reject';
  readonly onStoreFailure: 'anonymous' | 'unavailable';
  readonly storeTimeout: number;
  /** The module is given the session store at boot, so that it can take up its sessions before the first request. */
  readonly knowsStore: boolean;
  readonly store: StoreTraits;
}

/** Where session stores differ. */
export interface StoreTraits {
  /** It can list what it holds. */
  readonly lists: boolean;
  /** It implements `touch` by reading and writing the whole session, which is not atomic. */
  readonly touchRewrites: boolean;
}

export function drawSettings(random: Random): Settings {
  return {
    limits: drawLimits(random),
    limitsByFunction: random.chance(0.3),
    flushInterval: random.pick([1, 2, 5, 10]),
    resave: random.chance(0.4),
    rolling: random.chance(0.2),
    onExpired: random.chance(0.7) ? 'anonymous' : 'reject',
    onStoreFailure: random.pick(['anonymous', 'unavailable']),
    storeTimeout: random.pick([1, 2, 5]),
    knowsStore: random.chance(0.5),
    store: { lists: random.chance(0.6), touchRewrites: random.chance(0.3) },
  };
}

/** Short enough for many lives in a short story; the warning lasts long enough to be told. */
export function drawLimits(random: Random): Limits {
  const warnAfter = random.between(2, 20);
  const expireAfter = warnAfter + random.between(1, 12);
  const maxLifetime = random.chance(0.3) ? expireAfter * random.between(1, 4) : null;
  return { warnAfter, expireAfter, maxLifetime };
}
