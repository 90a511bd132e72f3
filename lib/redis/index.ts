export { RedisActivityStore } from './redis-activity-store.js';
export type { RedisActivityStoreOptions } from './redis-activity-store.options.js';
export type { RedisClient } from './redis-port.js';
