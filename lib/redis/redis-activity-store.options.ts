import type { RedisClient } from './redis-port.js';

/**
 * What a {@link RedisActivityStore} is made of. Durations are **seconds**.
 *
 * @publicApi
 */
export interface RedisActivityStoreOptions {
  /** The application's client: of `redis` (5 or 6) or `ioredis` (5 or 6), connected; a single server, Sentinel or Cluster. */
  readonly client: RedisClient;
  /** All keys begin with it. Default `ss`: short, because every session pays for it. */
  readonly prefix?: string;
  /** Into how many parts sessions are divided; on a Cluster they spread over the servers. Must never change. Default 16. */
  readonly shards?: number;
  /** How long a handler may take before its event is given to another process. Default 60. */
  readonly takeOverAfter?: number;
  /** How often an event is delivered to a handler that fails before it is set aside. Default 8. */
  readonly maxDeliveries?: number;
  /** How long events stay in the streams, if every handler has worked them off. Default 3600. */
  readonly retention?: number;
  /** How long a command may take before Redis counts as away. Default 2. */
  readonly commandTimeout?: number;
}

/** The options with their defaults. */
export type RedisActivityStoreSettings = Required<RedisActivityStoreOptions>;

/** @throws {TypeError} naming the option that cannot be used, and its value. */
export function settingsOf(given: RedisActivityStoreOptions): RedisActivityStoreSettings {
  const settings: RedisActivityStoreSettings = {
    client: given.client,
    prefix: given.prefix ?? 'ss',
    shards: given.shards ?? 16,
    takeOverAfter: given.takeOverAfter ?? 60,
    maxDeliveries: given.maxDeliveries ?? 8,
    retention: given.retention ?? 3600,
    commandTimeout: given.commandTimeout ?? 2,
  };
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(settings, name));
  if (unknown !== undefined) refuse(unknown, `is no option; known are ${Object.keys(settings).join(', ')}`);
  if (!/^[^{}\s]+$/.test(settings.prefix)) refuse('prefix', 'must be a text without braces and blanks');
  for (const name of ['shards', 'maxDeliveries'] as const) {
    if (!Number.isInteger(settings[name]) || settings[name] < 1 || settings[name] > 1024)
      refuse(name, `must be a whole number from 1 to 1024, but is ${settings[name]}`);
  }
  for (const name of ['takeOverAfter', 'retention', 'commandTimeout'] as const) {
    if (!Number.isFinite(settings[name]) || settings[name] <= 0)
      refuse(name, `must be a positive number of seconds, but is ${settings[name]}`);
  }
  return settings;
}

function refuse(name: string, problem: string): never {
  throw new TypeError(`RedisActivityStore: ${name} ${problem}`);
}
