import { RedisStore } from 'connect-redis';
import type { Store } from 'express-session';
import { RedisActivityStore } from 'nestjs-session-security/redis';
import { createClient } from 'redis';
import type { SampleSettings } from './settings.js';

/** The sessions of a practice that runs in several processes. */
export interface SharedSessions {
  readonly secret: string;
  /** What the people at the desk have in their sessions. */
  readonly data: Store;
  /** What is known of when they were there. */
  readonly activity: RedisActivityStore;
  /** To be called when the application is closed. */
  readonly disconnect: () => void;
}

/** Connects to Redis, if the settings name one. */
export async function openSharedSessions({ redis }: SampleSettings): Promise<SharedSessions | undefined> {
  if (!redis) return undefined;
  const client = createClient({ url: redis.url, disableOfflineQueue: true });
  // Losses of the connection are told of by the module, once.
  client.on('error', () => undefined);
  await client.connect();
  return {
    secret: redis.secret,
    data: new RedisStore({ client, disableTouch: true }),
    activity: new RedisActivityStore({ client }),
    disconnect: () => client.destroy(),
  };
}
