import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import type { RedisClient } from '../../lib/redis/index.js';
import { RedisServer } from '../support/redis-server.js';
import { eventually, Member, references } from './support/member.js';
import { RedisSentinel } from './support/redis-sentinel.js';

const SESSIONS = 40;

type Connect = (sentinelPort: number) => Promise<{ client: RedisClient; close: () => Promise<unknown> }>;

const clients: Record<string, Connect> = {
  'redis 6': async (port) => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port }];
    const client = createSentinel({ name: RedisSentinel.master, sentinelRootNodes, scanInterval: 500 });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  },
  'ioredis 6': (port) => {
    const client = new Redis({
      sentinels: [{ host: '127.0.0.1', port }],
      name: RedisSentinel.master,
      sentinelRetryStrategy: () => 100,
      retryStrategy: () => 100,
    });
    client.on('error', () => undefined);
    return Promise.resolve({ client, close: () => client.quit() });
  },
};

describe('4 when Sentinel promotes a replica while sessions are about to end', () => {
  it.concurrent.each(Object.entries(clients))(
    '%s: nobody is ended early, every end is told, and again only with the same identity',
    async (_name, connect) => {
      const master = await RedisServer.start('--repl-diskless-sync-delay', '0');
      const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port));
      // A Sentinel looks for replicas when it begins, and then only now and then.
      await eventually(async () => String(await replica.command('INFO', 'replication')).includes(':up'));
      const sentinel = await RedisSentinel.watch(master);
      const { client, close } = await connect(sentinel.port);
      const member = await Member.join(client, { takeOverAfter: 2, commandTimeout: 1 });
      const told = new Map<string, string[]>();
      const early: string[] = [];
      try {
        member.store.deliver(
          'mail',
          ({ signal }) => {
            const { id, life, userId, lastActivityAt, limits } = signal.record;
            told.set(userId!, [...(told.get(userId!) ?? []), references.ofEvent(id, life, signal.kind)]);
            if (signal.at < lastActivityAt + limits.expireAfter * 1000) early.push(userId!);
            return Promise.resolve();
          },
          ['end'],
        );
        const users = Array.from({ length: SESSIONS }, (_, number) => `user ${number}`);
        // Some end before the replica is promoted, some meanwhile, and some after it.
        await Promise.all(users.map((user, number) => member.start(user, 0.5, 1 + number / 20, user)));
        await sentinel.failOver();
        await eventually(async () => {
          // Redis is away for a moment.
          await member.look().catch(() => undefined);
          return told.size === SESSIONS && (await sentinel.masterPort()) === replica.port;
        }, 60);
        expect(await replica.command('ROLE')).toEqual(expect.arrayContaining(['master']));
        expect(early).toEqual([]);
        expect([...told.keys()].sort()).toEqual([...users].sort());
        expect([...told.values()].every((identities) => new Set(identities).size === 1)).toBe(true);
      } finally {
        await member.store.close();
        await close();
        await sentinel.stop();
        await replica.stop();
        await master.stop();
      }
    },
    90_000,
  );
});
