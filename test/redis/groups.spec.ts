import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { RedisActivityStoreOptions } from '../../lib/redis/index.js';
import { RedisServer } from '../support/redis-server.js';
import { clients, type ConnectedClient } from './support/clients.js';
import { eventually, Member } from './support/member.js';

const GROUP = 'mail';

describe('V3 groups of handlers', () => {
  const connected: ConnectedClient[] = [];
  let server: RedisServer;
  let members: Member[] = [];

  const join = async (options: Partial<RedisActivityStoreOptions> = {}): Promise<Member> => {
    const connection = await clients['redis 6']!(server.url);
    connected.push(connection);
    const member = await Member.join(connection.client, { shards: 2, takeOverAfter: 0.3, ...options });
    members.push(member);
    return member;
  };
  const look = (): Promise<unknown> => Promise.all(members.map((member) => member.look()));
  const lookUntil = (holds: () => boolean | Promise<boolean>): Promise<void> =>
    eventually(async () => {
      await look();
      return holds();
    });
  const pending = async (): Promise<number> => {
    const counts = await Promise.all(
      [0, 1].map(
        async (shard) =>
          ((await server.command('XPENDING', `ss:{${shard}}:e`, GROUP)) as [number, ...unknown[]])[0],
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const lettersAside = async (): Promise<string[][]> => {
    const streams = await Promise.all(
      [0, 1].map((shard) => server.command('XRANGE', `ss:{${shard}}:x`, '-', '+')),
    );
    return (streams as [string, string[]][][]).flat().map(([, fields]) => fields);
  };
  const founded = (): Promise<void> =>
    eventually(async () => {
      const groups = await Promise.all(
        [0, 1].map((shard) => server.command('XINFO', 'GROUPS', `ss:{${shard}}:e`)),
      );
      return (groups as unknown[][]).every((list) => list.length === 1);
    });

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.command('FLUSHALL');
  });
  afterEach(async () => {
    await Promise.all(members.map(({ store }) => store.close()));
    members = [];
    for (const { close } of connected.splice(0)) close();
    jest.restoreAllMocks();
  });

  it('every event goes to one member of the group, in order for each session', async () => {
    const handled: string[] = [];
    const [one, other] = [await join(), await join()];
    for (const { store } of [one, other]) {
      store.deliver(GROUP, async ({ signal }) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        handled.push(`${signal.record.userId} ${signal.kind}`);
      });
    }
    await founded();
    for (let number = 0; number < 50; number++) {
      const { id } = await one.start(`session ${number}`, 5, 10, `user ${number}`);
      await other.store.end(id, 'logout');
    }
    await lookUntil(() => handled.length >= 100);
    expect(new Set(handled).size).toBe(100);
    expect(handled).toHaveLength(100);
    for (let number = 0; number < 50; number++) {
      expect(handled.filter((line) => line.startsWith(`user ${number} `))).toEqual([
        `user ${number} start`,
        `user ${number} end`,
      ]);
    }
    await lookUntil(async () => (await pending()) === 0);
  });

  it('a handler that rejects is tried again and then set aside, with one line and a message on the channel', async () => {
    const lines: string[] = [];
    jest
      .spyOn(Logger.prototype, 'error')
      .mockImplementation((line: unknown) => void lines.push(String(line)));
    const published: unknown[] = [];
    const listen = (message: unknown): void => void published.push(message);
    subscribe('nestjs-session-security:event-set-aside', listen);
    const member = await join({ maxDeliveries: 3 });
    let tries = 0;
    member.store.deliver(GROUP, ({ signal }) => {
      if (signal.record.userId === 'ben') return Promise.resolve();
      tries++;
      return Promise.reject(new Error('the mail server is away'));
    });
    await founded();
    await member.start('sid', 5, 10, 'anna');
    await member.start('another', 5, 10, 'ben');
    // The letter lies aside a moment before the member knows that it does.
    await lookUntil(() => published.length > 0);
    unsubscribe('nestjs-session-security:event-set-aside', listen);
    expect(tries).toBe(3);
    expect(await pending()).toBe(0);
    expect((await lettersAside())[0]).toEqual(
      expect.arrayContaining([
        ...['mail', 'the mail server is away', 'deliveries', '3'],
        expect.stringMatching(/^start\|.*\|anna$/),
      ]),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^mail failed 3 times .* start event .* set aside .*the mail server is away/),
    ]);
    expect(published).toEqual([expect.objectContaining({ group: 'mail', deliveries: 3 })]);
    expect(JSON.stringify(published)).not.toContain('"sid"');
  });

  it('an event that cannot be set aside stays in hand, until it can', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    for (const shard of [0, 1]) await server.command('SET', `ss:{${shard}}:x`, 'no stream');
    const member = await join({ maxDeliveries: 1, takeOverAfter: 0.1 });
    let tries = 0;
    member.store.deliver(GROUP, () => {
      tries++;
      return Promise.reject(new Error('the mail server is away'));
    });
    await founded();
    await member.start('sid', 5, 10, 'anna');
    await lookUntil(() => tries > 0);
    // Taken up again, and in vain.
    const deliveries = async (): Promise<number> => {
      const left = await Promise.all(
        [0, 1].map((shard) => server.command('XPENDING', `ss:{${shard}}:e`, GROUP, '-', '+', '1')),
      );
      return (left as [string, string, number, number][][]).flat()[0]![3];
    };
    await lookUntil(async () => (await deliveries()) > 2);
    for (const shard of [0, 1]) await server.command('DEL', `ss:{${shard}}:x`);
    await lookUntil(async () => (await lettersAside()).length === 1 && (await pending()) === 0);
    expect(tries).toBe(1);
  });

  it('a handler that hangs is given up, tried again and set aside; others are not held up', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const member = await join({ maxDeliveries: 2 });
    const quick: string[] = [];
    member.store.deliver(GROUP, async ({ signal: { kind, record } }) => {
      if (record.userId === 'anna') await new Promise(() => undefined);
      quick.push(`${record.userId} ${kind}`);
    });
    await founded();
    await member.start('sid', 5, 10, 'anna');
    await member.start('another', 5, 10, 'ben');
    await lookUntil(() => quick.length === 1);
    await lookUntil(async () => (await lettersAside()).length === 1);
    expect((await lettersAside())[0]).toContain('not finished within 0.3 s');
    expect(quick).toEqual(['ben start']);
  });

  it('what a dead process had in hand is taken over, with the same entry', async () => {
    const dead = await join();
    const taken: string[] = [];
    dead.store.deliver(GROUP, () => new Promise(() => undefined));
    await founded();
    await dead.start('sid', 5, 10, 'anna');
    await lookUntil(async () => (await pending()) === 1);
    // From here on nobody looks on its behalf: its process is gone.
    members = members.filter((member) => member !== dead);
    const heir = await join();
    heir.store.deliver(GROUP, ({ signal }) => {
      taken.push(`${signal.record.userId} ${signal.kind}`);
      return Promise.resolve();
    });
    await lookUntil(async () => taken.length === 1 && (await pending()) === 0);
    expect(taken).toEqual(['anna start']);
  });

  it('a process that closes finishes what it has in hand and leaves nothing unacknowledged', async () => {
    const member = await join({ takeOverAfter: 5 });
    const [begun, done]: string[][] = [[], []];
    member.store.deliver(GROUP, async ({ signal }) => {
      begun!.push(signal.record.id);
      await new Promise((resolve) => setTimeout(resolve, 100));
      done!.push(signal.record.id);
    });
    await founded();
    for (let number = 0; number < 20; number++) await member.start(`session ${number}`, 5, 10);
    await lookUntil(() => begun!.length > 0);
    await member.store.close();
    expect(done!.length).toBe(begun!.length);
    expect(await pending()).toBe(0);
    const left = (await server.command('XINFO', 'CONSUMERS', 'ss:{0}:e', GROUP)) as unknown[];
    expect(left).toEqual([]);
    members = [];
  });

  it('streams are trimmed by age, and never below what a group has not worked off', async () => {
    const member = await join({ retention: 0.001 });
    let healthy = false;
    member.store.deliver(GROUP, () => (healthy ? Promise.resolve() : Promise.reject(new Error('not yet'))));
    await founded();
    await member.start('sid', 5, 10);
    await lookUntil(async () => (await pending()) === 1);
    const length = async (): Promise<number> => {
      const lengths = await Promise.all([0, 1].map((shard) => server.command('XLEN', `ss:{${shard}}:e`)));
      return (lengths as number[]).reduce((sum, one) => sum + one, 0);
    };
    await member.trim();
    expect(await length()).toBe(1);
    healthy = true;
    await lookUntil(async () => (await pending()) === 0);
    for (let number = 0; number < 20; number++) await member.start(`session ${number}`, 5, 10);
    await lookUntil(async () => (await pending()) === 0 && member.heard.length === 21);
    await member.trim();
    // A stream keeps the last entry that its groups have been given.
    expect(await length()).toBeLessThanOrEqual(2);
  });
});
