import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { RedisKeys } from '../../lib/redis/redis-keys.js';
import { RedisServer } from '../support/redis-server.js';
import type { ConnectedClient } from './support/clients.js';
import { eventually, Member, references } from './support/member.js';
import { RedisCluster } from './support/redis-cluster.js';

const SHARDS = 16;
const SESSIONS = 200;

const clients: Record<string, (cluster: RedisCluster) => Promise<ConnectedClient>> = {
  'redis 6, createCluster': async ({ urls }) => {
    const client = createCluster({ rootNodes: urls.map((url) => ({ url })) });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  'ioredis 6, Cluster': (cluster) => {
    const client = new Cluster(cluster.ports.map((port) => ({ host: '127.0.0.1', port })));
    client.on('error', () => undefined);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
};

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 60_000);
afterAll(() => cluster.stop());

/** What a group was given: event by event, whose session ended, and how often. */
class Ledger {
  readonly ends = new Map<string, number>();

  keep({ store }: Member, group: string): void {
    store.deliver(
      group,
      ({ signal: { record, kind } }) => {
        const end = `${kind} ${record.userId}`;
        this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
        return Promise.resolve();
      },
      ['end'],
    );
  }
}

describe.each(Object.entries(clients))('4 on a Cluster of three masters, by %s', (name, connect) => {
  const prefix = name.replace(/\W/g, '');
  const connected: ConnectedClient[] = [];
  let members: Member[] = [];

  beforeAll(async () => {
    for (let number = 0; number < 2; number++) {
      const connection = await connect(cluster);
      connected.push(connection);
      members.push(await Member.join(connection.client, { prefix, shards: SHARDS, takeOverAfter: 2 }));
    }
  }, 30_000);
  afterAll(async () => {
    await Promise.all(members.map(({ store }) => store.close()));
    for (const { close } of connected) close();
    members = [];
  });
  const lookUntil = (holds: () => boolean | Promise<boolean>, seconds = 30): Promise<void> =>
    eventually(async () => {
      await Promise.all(members.map((member) => member.look()));
      return holds();
    }, seconds);
  const founded = (): Promise<unknown> =>
    lookUntil(async () => (await groups()).every((count) => count >= 1));
  /** How many groups each shard's stream has. */
  const groups = async (): Promise<number[]> => {
    const keys = new RedisKeys(prefix, SHARDS);
    const told = await Promise.all(
      Array.from({ length: SHARDS }, (_, shard) => onItsMaster('XINFO', 'GROUPS', keys.stream(shard))),
    );
    return told.map((list) => (list as unknown[]).length);
  };

  it('all does what it does on one server, no script touches two slots, and every end is told once', async () => {
    const ledger = new Ledger();
    members.forEach((member) => ledger.keep(member, 'mail'));
    await founded();
    const users = Array.from({ length: SESSIONS }, (_, number) => `${prefix} ${number}`);
    await Promise.all(users.map((user, number) => members[number % 2]!.start(user, 0.3, 0.6, user)));
    const shards = new Set(
      users.map((user) => new RedisKeys(prefix, SHARDS).shardOf(references.ofSession(user))),
    );
    expect(shards.size).toBe(SHARDS);

    const [touched, ended] = users.map((user) => references.ofSession(user)) as [string, string];
    await members[1]!.store.touch(
      users.map((user) => ({ id: references.ofSession(user), lastActivityAt: members[1]!.clock.now() })),
    );
    expect((await members[0]!.store.find(touched))?.userId).toBe(users[0]);
    expect(await members[0]!.store.ofUser(users[0]!)).toHaveLength(1);
    expect(await members[0]!.store.end(ended, 'logout')).toBeDefined();
    expect(await members[1]!.store.grave(ended)).toMatchObject({ reason: 'logout' });

    await lookUntil(() => ledger.ends.size === SESSIONS);
    expect([...ledger.ends.keys()].sort()).toEqual(users.map((user) => `end ${user}`).sort());
    expect(new Set(ledger.ends.values())).toEqual(new Set([1]));
    await members[0]!.trim();
    for (const { heard } of members) {
      const kinds = heard.map(({ signal }) => signal.kind);
      expect(['start', 'end'].map((kind) => kinds.filter((heardKind) => heardKind === kind).length)).toEqual([
        SESSIONS,
        SESSIONS,
      ]);
    }
  }, 60_000);
});

describe('4 when a replica takes over', () => {
  it.concurrent.each(Object.entries(clients))(
    '%s: every end is told; what the replica had not heard is told again, with the same identity',
    async (_name, connect) => {
      const failing = await RedisCluster.start({ withReplica: true });
      const { client, close } = await connect(failing);
      const member = await Member.join(client, { shards: SHARDS, takeOverAfter: 2, commandTimeout: 5 });
      try {
        const told = new Map<string, string[]>();
        member.store.deliver(
          'mail',
          ({ signal: { kind, record } }) => {
            const identity = references.ofEvent(record.id, record.life, kind);
            told.set(record.userId!, [...(told.get(record.userId!) ?? []), identity]);
            return Promise.resolve();
          },
          ['end'],
        );
        // Redis may be away for this shard or that.
        const lookUntil = (holds: () => boolean): Promise<void> =>
          eventually(async () => {
            await member.look().catch(() => undefined);
            return holds();
          }, 90);
        const users = Array.from({ length: SESSIONS }, (_, number) => `user ${number}`);
        await member.look();
        await Promise.all(users.map((user) => member.start(user, 3, 4, user)));
        const [first] = failing.masters;
        expect(await first!.command('WAIT', '1', '5000')).toBe(1);
        await failing.cutReplicaOff();
        await lookUntil(() => told.size === SESSIONS);
        const onFirst = ((await first!.command('KEYS', 'ss:*:s:*')) as string[]).map(
          (key) => key.split(':s:')[1],
        );
        expect(onFirst.length).toBeGreaterThan(0);
        await first!.kill();
        await failing.promote();

        const again = users.filter((user) => onFirst.includes(references.ofSession(user)));
        await lookUntil(() => again.every((user) => told.get(user)!.length > 1));
        expect([...told.keys()].sort()).toEqual([...users].sort());
        expect([...told.values()].every((identities) => new Set(identities).size === 1)).toBe(true);
      } finally {
        await member.store.close();
        close();
        await failing.stop();
      }
    },
    180_000,
  );
});

describe('4 on a Cluster behind one address, by a client that knows of no Cluster', () => {
  it('goes shard by shard once the server has refused to look at several at a time', async () => {
    const server = await RedisServer.start('--cluster-enabled', 'yes');
    await server.command('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16384 }, (_, slot) => String(slot)));
    await eventually(async () =>
      String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
    const client = await createClient({ url: server.url }).connect();
    const member = await Member.join(client);
    try {
      const users = Array.from({ length: 20 }, (_, number) => `user ${number}`);
      const records = await Promise.all(users.map((user) => member.start(user, 50, 60, 'anna')));
      const lastActivityAt = member.clock.now();
      expect(await member.store.touch(records.map(({ id }) => ({ id, lastActivityAt })))).toEqual([]);
      await member.look();
      expect(member.heard).toHaveLength(users.length);
      expect(await member.store.ofUser('anna')).toHaveLength(users.length);
    } finally {
      await member.store.close();
      client.destroy();
      await server.stop();
    }
  }, 60_000);
});

/** Sends a command to whichever master holds its last argument. */
async function onItsMaster(...command: string[]): Promise<unknown> {
  for (const master of cluster.masters) {
    try {
      return await master.command(...command);
    } catch (error) {
      if (!/^MOVED/.test((error as Error).message)) throw error;
    }
  }
  throw new Error(`No master has the slot of ${command.at(-1)}`);
}
