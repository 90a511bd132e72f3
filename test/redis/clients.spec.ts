import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createClientPool, createSentinel } from 'redis';
import type { RedisClient } from '../../lib/redis/index.js';
import { RedisServer } from '../support/redis-server.js';
import { eventually, Member } from './support/member.js';
import { RedisSentinel } from './support/redis-sentinel.js';

let server: RedisServer;
let sentinel: RedisSentinel;
beforeAll(async () => {
  server = await RedisServer.start();
  sentinel = await RedisSentinel.watch(server);
}, 30_000);
afterAll(async () => {
  await sentinel.stop();
  await server.stop();
});

interface Way {
  readonly client: RedisClient;
  readonly close: () => Promise<unknown>;
}

const ways: Record<string, () => Promise<Way>> = {
  'redis 6, createClientPool': async () => {
    const client = createClientPool({ url: server.url }, { minimum: 2, maximum: 4 });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  },
  'redis 6, createSentinel': async () => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port: sentinel.port }];
    const client = createSentinel({ name: RedisSentinel.master, sentinelRootNodes });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  },
  'ioredis 6, by Sentinel': () => {
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const client = new Redis({ sentinels, name: RedisSentinel.master });
    client.on('error', () => undefined);
    return Promise.resolve({ client, close: () => client.quit() });
  },
};

describe.each(Object.entries(ways))('a store of %s', (name, connect) => {
  it('watches a session from its start to its end, and hands the end to a handler', async () => {
    const { client, close } = await connect();
    const member = await Member.join(client, { prefix: name.replace(/\W/g, '') });
    try {
      const handled: string[] = [];
      member.store.deliver('mail', ({ signal }) => Promise.resolve(void handled.push(signal.kind)), ['end']);
      const { id } = await member.start('sid', 50, 60, 'anna');
      expect(await member.store.touch([{ id, lastActivityAt: member.clock.now() }])).toEqual([]);
      expect(await member.store.ofUser('anna')).toMatchObject([{ sessionId: 'sid', record: { id } }]);
      expect(await member.store.end(id, 'logout')).toMatchObject({ id, userId: 'anna' });
      await eventually(async () => {
        await member.look();
        return handled.length > 0;
      });
      expect(member.kinds(id)).toEqual(['start', 'end']);
      expect(await member.store.grave(id)).toMatchObject({ reason: 'logout' });
    } finally {
      await member.store.close();
      await close();
    }
  }, 30_000);
});
