import { Redis as Ioredis5 } from 'ioredis-5';
import { Redis as Ioredis6 } from 'ioredis';
import { createClient as createClient5 } from 'redis-5';
import { createClient as createClient6 } from 'redis';
import type { RedisClient } from '../../../lib/redis/index.js';

/** A client that is connected, and how to take it down. */
export interface ConnectedClient {
  readonly client: RedisClient;
  readonly close: () => void;
}

/** Every client that is supported, by name. */
export const clients: Readonly<Record<string, (url: string) => Promise<ConnectedClient>>> = {
  'redis 6': async (url) => {
    const client = await quiet(createClient6({ url })).connect();
    return { client, close: () => client.destroy() };
  },
  'redis 6, RESP2': async (url) => {
    const client = await quiet(createClient6({ url, RESP: 2 })).connect();
    return { client, close: () => client.destroy() };
  },
  'redis 5': async (url) => {
    const client = await quiet(createClient5({ url })).connect();
    return { client, close: () => client.destroy() };
  },
  'ioredis 6': (url) => {
    const client = quiet(new Ioredis6(url));
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  'ioredis 5': (url) => {
    const client = quiet(new Ioredis5(url));
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
};

/** Clients report lost connections as events, and an unheard one would end the process. */
function quiet<Client extends { on(event: 'error', listener: () => void): unknown }>(client: Client): Client {
  client.on('error', () => undefined);
  return client;
}
