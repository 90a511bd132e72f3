import type { Random } from '../world/random.js';
import { drawSettings, type Settings } from '../world/settings.js';

/** How an application of several processes is configured; drawn from the seed. Durations in seconds. */
export interface SharedSettings extends Settings {
  readonly processes: number;
  readonly shards: number;
  readonly commandTimeout: number;
  readonly takeOverAfter: number;
  readonly grace: number;
}

export function drawSharedSettings(random: Random): SharedSettings {
  const warnAfter = random.between(3, 6);
  const expireAfter = warnAfter + random.between(2, 4);
  const maxLifetime = random.chance(0.3) ? expireAfter + random.between(1, 8) : null;
  return {
    ...drawSettings(random),
    limits: { warnAfter, expireAfter, maxLifetime },
    limitsByFunction: false,
    flushInterval: 1,
    onStoreFailure: 'unavailable',
    knowsStore: true,
    processes: random.between(2, 3),
    shards: random.between(1, 3),
    commandTimeout: random.pick([1, 2]),
    takeOverAfter: 2,
    grace: random.pick([0, 5]),
  };
}
