import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CorruptRecordError, type DueRecord } from '../../lib/activity/activity-store.js';
import type { News, RecordSignal } from '../../lib/activity/shared-activity-store.js';
import { StoreFailure } from '../../lib/activity/store-calls.js';
import { RedisServer } from '../support/redis-server.js';
import { clients, type ConnectedClient } from './support/clients.js';
import { eventually, Member, references } from './support/member.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(Object.keys(clients))('the store of %s', (name) => {
  const connected: ConnectedClient[] = [];
  let one: Member;
  let other: Member;

  const join = async (options: Parameters<typeof Member.join>[1] = {}): Promise<Member> => {
    const connection = await clients[name]!(server.url);
    connected.push(connection);
    return Member.join(connection.client, options);
  };

  beforeEach(async () => {
    await server.command('FLUSHALL');
    [one, other] = [await join(), await join()];
    // Nobody is ended within the first two seconds of a shard: see the test of the standstill.
    await server.command('EVAL', "for k = 0, 3 do redis.call('HDEL', 'ss:{'..k..'}:c', 'h') end", '0');
  });
  afterEach(async () => {
    await Promise.all([one.store.close(), other.store.close()]);
    for (const { close } of connected.splice(0)) close();
  });

  it('time goes on where it was, neither back nor standing still, when the clock of Redis is set back by an hour', async () => {
    const script = "for k = 0, 3 do redis.call('HINCRBY', 'ss:{'..k..'}:c', 'n', 3600000) end";
    await server.command('EVAL', script, '0');
    const member = await join();
    await server.command('EVAL', "for k = 0, 3 do redis.call('HDEL', 'ss:{'..k..'}:c', 'h') end", '0');
    const before = member.clock.now();
    const record = await member.start('sid', 0.5, 1.5);
    await eventually(async () => {
      await member.look();
      return member.kinds(record.id).join() === 'start,warn,end';
    });
    const passed = member.clock.now() - before;
    expect(passed).toBeGreaterThanOrEqual(1000);
    expect(passed).toBeLessThan(60_000);
    // And when it is set right again, which looks the same as this, nobody has been away for an hour.
    const present = await member.start('another', 300, 600);
    const right = "for k = 0, 3 do redis.call('HINCRBY', 'ss:{'..k..'}:c', 'o', 3600000) end";
    await server.command('EVAL', right, '0');
    await member.look();
    expect(await member.store.expire(present.id)).toMatchObject({ state: 'alive' });
    expect(member.kinds(present.id)).toEqual(['start']);
  });

  it('keeps what was started, for every process', async () => {
    const record = await one.start('sid', 5, 10, 'anna');
    const found = await other.store.find(record.id);
    expect(found).toMatchObject({ id: record.id, life: record.life, limits: record.limits, userId: 'anna' });
    expect(found!.lastActivityAt - record.lastActivityAt).toBeLessThanOrEqual(100);
    expect(await other.store.find(references.ofSession('unknown'))).toBeUndefined();
  });

  it('starts once however often it is told, and anew for another life', async () => {
    const record = await one.start('sid', 5, 10);
    await other.store.start(record, 'sid');
    await one.look();
    expect(one.kinds(record.id)).toEqual(['start']);
    await one.store.start({ ...record, life: record.life + 1 }, 'sid');
    await one.look();
    expect(one.kinds(record.id)).toEqual(['start', 'start']);
  });

  it('begins nothing that was on its way when it ended, and begins who signs in after that under the same id', async () => {
    const { id, startedAt, ...rest } = await one.start('sid', 5, 10, 'anna');
    const late = { id, ...rest, startedAt: startedAt - 1000 };
    await one.store.end(id, 'logout');
    for (const life of [late.life, late.life - 1])
      await expect(other.store.start({ ...late, life }, 'sid')).rejects.toThrow(StoreFailure);
    expect(await one.store.find(id)).toBeUndefined();
    expect(await one.store.ofUser('anna')).toEqual([]);
    expect(await one.store.grave(id)).toMatchObject({ reason: 'logout' });
    const anew = await other.start('sid', 5, 10, 'ben');
    expect(await one.store.find(id)).toMatchObject({ life: anew.life, userId: 'ben' });
    await one.look();
    expect(one.kinds(id)).toEqual(['start', 'end', 'start']);
  });

  it('begins what is told twice, and what takes the place of a session whose id stays in use', async () => {
    const record = await one.start('sid', 5, 10, 'anna');
    const late = { ...record, startedAt: record.startedAt - 1000 };
    await other.store.start(late, 'sid');
    await one.store.end(record.id, 'replaced', 'keep');
    await other.store.start({ ...late, life: record.life + 1 }, 'sid');
    await one.look();
    expect(one.kinds(record.id)).toEqual(['start', 'end', 'start']);
  });

  it('C1 merges activity with max, whatever the order, and never creates', async () => {
    const record = await one.start('sid', 5, 10);
    await wait(150);
    const now = one.clock.now();
    const touch = (lastActivityAt: number): Promise<string[]> =>
      other.store.touch([
        { id: record.id, lastActivityAt },
        { id: references.ofSession('unknown'), lastActivityAt },
      ]);
    const stored = async () =>
      parseInt((await server.command('GET', `ss:{${shardOf(record.id)}}:s:${record.id}`)) as string, 10);
    const atStart = await stored();
    expect(await touch(now)).toEqual([references.ofSession('unknown')]);
    const moved = await stored();
    expect(moved).toBeGreaterThan(atStart);
    // What Redis takes for now may be a little earlier, and is never later.
    expect(moved).toBeLessThanOrEqual(now);
    await touch(now - 120);
    expect(await stored()).toBe(moved);
    expect(await one.store.find(references.ofSession('unknown'))).toBeUndefined();
  });

  it('counts no activity of a session for the one that has replaced it under the same id', async () => {
    const before = await one.start('sid', 5, 10);
    await other.store.start({ ...before, life: before.life + 1 }, 'sid');
    const stored = () => server.command('GET', `ss:{${shardOf(before.id)}}:s:${before.id}`);
    const then = await stored();
    await wait(20);
    const touch = (life: number) =>
      one.store.touch([{ id: before.id, life, lastActivityAt: one.clock.now() }]);
    expect(await touch(before.life)).toEqual([before.id]);
    expect(await stored()).toBe(then);
    expect(await touch(before.life + 1)).toEqual([]);
    expect(await stored()).not.toBe(then);
  });

  it('S7 takes a stamp of the future as now', async () => {
    const record = await one.start('sid', 5, 10);
    await one.store.touch([{ id: record.id, lastActivityAt: one.clock.now() + 3_600_000 }]);
    expect((await other.store.find(record.id))!.lastActivityAt).toBeLessThan(one.clock.now() + 1000);
  });

  it('C8 gives the end to exactly one caller, and tells it once', async () => {
    const record = await one.start('sid', 5, 10, 'anna');
    const ended = await Promise.all(
      [one, other, one, other].map(({ store }) => store.end(record.id, 'logout')),
    );
    expect(ended.filter((answer) => answer !== undefined)).toHaveLength(1);
    await Promise.all([one.look(), other.look()]);
    for (const { heard } of [one, other]) {
      expect(heard.map(({ signal, sessionId }) => [signal.kind, sessionId])).toEqual([
        ['start', 'sid'],
        ['end', 'sid'],
      ]);
    }
    expect(await other.store.grave(record.id)).toMatchObject({ reason: 'logout' });
    expect(await one.store.touch([{ id: record.id, lastActivityAt: one.clock.now() }])).toEqual([record.id]);
  });

  it('an id that stays in use gets no tombstone', async () => {
    const record = await one.start('sid', 5, 10);
    await one.store.end(record.id, 'logout', 'keep');
    await other.look();
    expect(await other.store.grave(record.id)).toBeUndefined();
    expect(other.heard.at(-1)).toMatchObject({ keepsBlob: true, signal: { kind: 'end' } });
  });

  it('an id that is changed is told to processes, and to no handler as an end', async () => {
    const record = await one.start('sid', 5, 10);
    const next = references.ofSession('next');
    expect(await one.store.move(record.id, next)).toBe(next);
    await other.look();
    expect(other.kinds(record.id)).toEqual(['start', 'moved']);
    expect(other.heard.at(-1)!.signal).toMatchObject({ kind: 'moved', to: next });
  });

  it('warns once, ends once, never early, with the slack that a dead process may need', async () => {
    const record = await one.start('sid', 0.3, 1.3);
    const due: DueRecord[] = [];
    await eventually(async () => {
      due.push(...(await one.look()), ...(await other.look()));
      return due.some(({ kind }) => kind === 'expire');
    });
    expect(due.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['warn', 'idle'],
      ['expire', 'idle'],
    ]);
    await one.look();
    const told = one.heard.map(({ signal }) => signal);
    expect(told.map(({ kind }) => kind)).toEqual(['start', 'warn', 'end']);
    const end = told.at(-1) as Extract<RecordSignal, { kind: 'end' }>;
    expect(end.dueAt).toBe(end.record.lastActivityAt + 1300);
    expect(end.at - end.dueAt).toBeGreaterThanOrEqual(100);
    expect(await one.store.find(record.id)).toBeUndefined();
  });

  it('activity calls a warning off, and the next idle period is warned again', async () => {
    const record = await one.start('sid', 0.2, 5);
    const kindsAfter = async (count: number): Promise<void> =>
      eventually(async () => {
        await one.look();
        return one.kinds(record.id).length >= count;
      });
    await kindsAfter(2);
    await other.store.touch([{ id: record.id, lastActivityAt: other.clock.now() }]);
    await kindsAfter(4);
    expect(one.kinds(record.id)).toEqual(['start', 'warn', 'renew', 'warn']);
  });

  it('longer limits call a warning off too, which is told once', async () => {
    const record = await one.start('sid', 0.1, 30);
    await eventually(async () => {
      await one.look();
      return one.kinds(record.id).length === 2;
    });
    const longer = { ...record, limits: { warnAfter: 20, expireAfter: 30, maxLifetime: null } };
    await Promise.all([one.store.adjust(longer), other.store.adjust(longer)]);
    await one.look();
    expect(one.kinds(record.id)).toEqual(['start', 'warn', 'renew']);
  });

  it('S20 a lifetime ends on time whatever the activity', async () => {
    const record = await one.start('sid', 0.2, 0.4);
    await one.store.adjust({ ...record, limits: { warnAfter: 1, expireAfter: 1.5, maxLifetime: 1.7 } });
    const due: DueRecord[] = [];
    await eventually(async () => {
      await other.store.touch([{ id: record.id, lastActivityAt: other.clock.now() }]);
      due.push(...(await one.look()));
      return due.some(({ kind }) => kind === 'expire');
    });
    expect(due.at(-1)).toMatchObject({ kind: 'expire', reason: 'lifetime' });
  });

  it('S13 a shortening takes effect without a request; an exempt session has no deadline', async () => {
    const [short, exempt] = [await one.start('short', 100, 200), await one.start('exempt', 0.1, 0.2)];
    await one.store.adjust({ ...short, limits: { warnAfter: 0.05, expireAfter: 0.1, maxLifetime: null } });
    await one.store.adjust({ ...exempt, limits: { warnAfter: Infinity, expireAfter: Infinity } });
    await eventually(async () => (await other.look()).some(({ kind }) => kind === 'expire'));
    await wait(300);
    await other.look();
    expect(await one.store.find(exempt.id)).toMatchObject({ limits: { expireAfter: Infinity } });
    expect(other.kinds(exempt.id)).toEqual(['start']);
  });

  it('asks whether a session is over: alive, ended for one, gone for the others', async () => {
    const record = await one.start('sid', 5, 10);
    expect(await other.store.expire(record.id)).toMatchObject({ state: 'alive', record: { id: record.id } });
    await one.store.adjust({ ...record, limits: { warnAfter: 0.1, expireAfter: 0.2, maxLifetime: null } });
    await wait(350);
    const answers = await Promise.all([one.store.expire(record.id), other.store.expire(record.id)]);
    expect(answers.map(({ state }) => state).sort()).toEqual(['ended', 'gone']);
  });

  it('S10 says what cannot be read, and works it off', async () => {
    const id = references.ofSession('sid');
    const key = `ss:{${shardOf(id)}}:s:${id}`;
    for (const garbage of [
      'garbage',
      '1700000000000-|x|1/2/|1||',
      '1700000000000-|1|2/1/|1||',
      '1-|1|1/2/|1||',
    ]) {
      await server.command('SET', key, garbage);
      await expect(one.store.find(id)).rejects.toThrow(CorruptRecordError);
      expect(await one.store.touch([{ id, lastActivityAt: one.clock.now() }])).toEqual([id]);
    }
    await server.command('DEL', key);
    await server.command('HSET', key, 's', 'x', 'l', '1/2/');
    await expect(one.store.find(id)).rejects.toThrow(CorruptRecordError);
    expect(await one.store.end(id, 'revoked')).toBeUndefined();
    expect(await one.store.find(id)).toBeUndefined();
  });

  it("lists a user's sessions with their own ids, and forgets the ended ones", async () => {
    const [first, second] = [
      await one.start('first', 5, 10, 'anna'),
      await one.start('second', 5, 10, 'anna'),
    ];
    await one.start('third', 5, 10, 'ben');
    const found = await other.store.ofUser('anna');
    expect(found.map(({ sessionId }) => sessionId).sort()).toEqual(['first', 'second']);
    await one.store.end(first.id, 'logout');
    expect((await other.store.ofUser('anna')).map(({ record }) => record.id)).toEqual([second.id]);
    await other.store.end(second.id, 'logout');
    await eventually(async () => {
      await one.look();
      return ((await server.command('KEYS', 'ss:*:u:*')) as string[]).length === 1;
    });
  });

  it('nothing in Redis shows a session id', async () => {
    const record = await one.start('a-secret-session-id', 5, 10, 'anna');
    await one.store.end((await one.start('another-secret-session-id', 5, 10)).id, 'logout');
    const dump = await everything();
    expect(dump).toContain(record.id);
    expect(dump).not.toMatch(/secret-session-id/);
  });

  it('works on when Redis has forgotten its scripts', async () => {
    const record = await one.start('sid', 5, 10);
    await server.command('SCRIPT', 'FLUSH');
    expect(await other.store.find(record.id)).toBeDefined();
    expect(await other.store.end(record.id, 'logout')).toBeDefined();
  });

  async function everything(): Promise<string> {
    const said: unknown[] = [];
    for (const key of (await server.command('KEYS', '*')) as string[]) {
      const type = (await server.command('TYPE', key)) as string;
      const read: Record<string, string[]> = {
        hash: ['HGETALL', key],
        stream: ['XRANGE', key, '-', '+'],
        string: ['GET', key],
        zset: ['ZRANGE', key, '0', '-1'],
      };
      said.push(key, await server.command(...read[type]!));
    }
    return JSON.stringify(said);
  }
});

describe('the store and a standstill', () => {
  it('3 after nobody has looked for a while, nobody is ended until all have written what they know', async () => {
    await server.command('FLUSHALL');
    const { client, close } = await clients['redis 6']!(server.url);
    const member = await Member.join(client);
    const record = await member.start('sid', 0.1, 0.2);
    await wait(400);
    await member.look();
    expect(await member.store.find(record.id)).toBeDefined();
    await expect(member.store.expire(record.id)).rejects.toThrow(/judged again shortly/);
    const lastActivityAt = Math.floor(member.clock.now()) - 50;
    // Long after the deadline that Redis knows of; but a process that kept it in memory knows better.
    expect(await member.store.touch([{ id: record.id, lastActivityAt }])).toEqual([]);
    const news: News[] = [];
    await eventually(async () => {
      await member.look();
      news.push(...member.heard.splice(0));
      return news.some(({ signal }) => signal.kind === 'end');
    });
    const end = news.find(({ signal }) => signal.kind === 'end')!;
    expect(end.signal.record.lastActivityAt).toBe(lastActivityAt);
    expect(await member.store.touch([{ id: record.id, lastActivityAt: member.clock.now() }])).toEqual([
      record.id,
    ]);
    await member.store.close();
    close();
  });

  it('3 so also for those who come before the first look', async () => {
    await server.command('FLUSHALL');
    const { client, close } = await clients['redis 6']!(server.url);
    const member = await Member.join(client);
    const record = await member.start('sid', 0.1, 0.2);
    await wait(400);
    const clocks = "for k = 0, 3 do redis.call('HSET', 'ss:{'..k..'}:c', 'n', ARGV[1], 'h', 0) end";
    const lookedAt = async (ms: number): Promise<unknown> =>
      server.command('EVAL', clocks, '0', String(Math.floor(member.clock.now() - ms)));
    // Somebody has looked just now, so nobody has more to tell.
    await lookedAt(0);
    expect(await member.store.touch([{ id: record.id, lastActivityAt: member.clock.now() }])).toEqual([
      record.id,
    ]);
    await lookedAt(10_000);
    await expect(member.store.expire(record.id)).rejects.toThrow(/judged again shortly/);
    expect(await member.store.touch([{ id: record.id, lastActivityAt: member.clock.now() }])).toEqual([]);
    expect(await member.store.expire(record.id)).toMatchObject({ state: 'alive' });
    await member.store.close();
    close();
  });
});

describe('the store and keys that others have written', () => {
  let connection: ConnectedClient;
  let member: Member;
  const news: News[] = [];

  beforeEach(async () => {
    await server.command('FLUSHALL');
    connection = await clients['redis 6']!(server.url);
    member = await Member.join(connection.client);
    await looksFreely();
    news.splice(0);
  });
  afterEach(async () => {
    await member.store.close();
    connection.close();
  });

  /** Nobody is ended within the first two seconds of a shard. */
  const looksFreely = (): Promise<unknown> =>
    server.command('EVAL', "for k = 0, 3 do redis.call('HSET', 'ss:{'..k..'}:c', 'h', 0) end", '0');
  /** One look at everything; answers how it failed. */
  const look = async (): Promise<string | undefined> => {
    const failure = await member.store.due(member.clock.now(), 500).then(
      () => undefined,
      (error: Error) => error.message,
    );
    news.push(...member.store.takeNews());
    return failure;
  };
  const isEnded = (id: string): boolean =>
    news.some(({ signal }) => signal.kind === 'end' && signal.record.id === id);
  const keyOf = (id: string): string => `ss:{${shardOf(id)}}:s:${id}`;
  /** Names of sessions, one of the first shard and one of another. */
  const names = Array.from({ length: 40 }, (_, number) => `session ${number}`);
  const isInFirst = (name: string): boolean => shardOf(references.ofSession(name)) === 0;
  const inFirst = names.find(isInFirst)!;
  const elsewhere = names.find((name) => !isInFirst(name))!;

  it('S10 forgets records with limits that mean nothing, and goes on with all others', async () => {
    const record = await member.start('sid', 0.1, 0.2);
    const limits = ['1.2.3/4/', '1/2.3.4/', '0/4/', '4/3/', '3/4/1.2.3', '3/4/2', `3/${'9'.repeat(400)}/`];
    const garbage = [
      ...limits.map((text) => `1700000000000-|1700000000000|${text}|1|||eve`),
      `1700000000000-|${'9'.repeat(400)}|3/4/|1|||eve`,
      `1700000000000-|1700000000000|3/4/|${'9'.repeat(400)}|||eve`,
    ];
    const ids = garbage.map((_, number) => references.ofSession(`garbage ${number}`));
    for (const [number, text] of garbage.entries()) {
      const id = ids[number]!;
      await server.command('SET', keyOf(id), text);
      await server.command('ZADD', `ss:{${shardOf(id)}}:d`, '1', id);
      await expect(member.store.find(id)).rejects.toThrow(CorruptRecordError);
      expect(await member.store.touch([{ id, lastActivityAt: member.clock.now() }])).toEqual([id]);
    }
    await eventually(async () => {
      expect(await look()).toBeUndefined();
      return isEnded(record.id);
    });
    expect(await server.command('KEYS', '*:[ds]*')).toEqual([keyOf(record.id)]);
  });

  it('S7 counts a stored stamp of the future as now, once, whoever finds it', async () => {
    const ahead = String(Date.now() + 3_600_000);
    const finds: Record<string, (id: string) => Promise<unknown>> = {
      touch: async (id) =>
        expect(await member.store.touch([{ id, lastActivityAt: member.clock.now() - 50 }])).toEqual([]),
      expire: async (id) => expect(await member.store.expire(id)).toMatchObject({ state: 'alive' }),
      adjust: async (id) => member.store.adjust((await member.store.find(id))!),
    };
    for (const [how, find] of Object.entries(finds)) {
      const { id } = await member.start(how, 5, 10);
      await server.command('SETRANGE', keyOf(id), '0', ahead);
      await find(id);
      const corrected = await server.command('GETRANGE', keyOf(id), '0', '12');
      expect(Number(corrected)).toBeLessThanOrEqual(member.clock.now());
      await find(id);
      if (how === 'expire') expect(await server.command('GETRANGE', keyOf(id), '0', '12')).toBe(corrected);
    }
    // Nobody but the looks.
    const { id } = await member.start('idle', 0.1, 0.2);
    await server.command('SETRANGE', keyOf(id), '0', ahead);
    await eventually(async () => {
      await look();
      return isEnded(id);
    });
  });

  it('goes by its own time where its clocks hold nothing that is one', async () => {
    for (const [number, value] of ['nan', 'inf', '-inf', 'abc', '9'.repeat(20), 'no clock'].entries()) {
      const record = await member.start(`sid ${number}`, 0.1, 0.2);
      const clock = `ss:{${shardOf(record.id)}}:c`;
      if (value === 'no clock') {
        await server.command('SET', clock, value);
        expect(await look()).toBeUndefined();
        await looksFreely();
      } else {
        for (const field of ['o', 'h']) await server.command('HSET', clock, field, value);
        const [seconds] = (await server.command('TIME')) as string[];
        await server.command('HSET', clock, 'n', `${seconds}000`);
        expect(await member.store.expire(record.id)).toMatchObject({ state: 'alive' });
        await server.command('HSET', clock, 'n', value);
        expect(await look()).toBeUndefined();
        await looksFreely();
      }
      await eventually(async () => {
        expect(await look()).toBeUndefined();
        return isEnded(record.id);
      });
    }
    expect(Math.abs(member.clock.now() - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    [
      'a stream without further ids',
      ['XADD', 'ss:{0}:e', '18446744073709551615-18446744073709551615', 'e', 'x'],
    ],
    ['no stream', ['SET', 'ss:{0}:e', 'x']],
    ['no deadlines', ['SET', 'ss:{0}:d', 'x']],
  ])('of one shard: %s, and the others go on; there all goes on when it is removed', async (_, command) => {
    const key = command[1]!;
    const [broken, whole] = [await member.start(inFirst, 0.1, 0.2), await member.start(elsewhere, 0.1, 0.2)];
    const leaving = await member.start(names.findLast(isInFirst)!, 5, 10);
    await server.command(...command);
    await eventually(async () => {
      expect(await look()).toBeUndefined();
      return isEnded(whole.id);
    });
    expect([...member.store.failures()]).toEqual([[0, expect.stringContaining(`DEL ${key}`)]]);
    // A process that starts now works too, and its handlers.
    const other = await Member.join(connection.client, { takeOverAfter: 0.2 });
    const handled: string[] = [];
    const handler = ({ signal }: News): Promise<void> => Promise.resolve(void handled.push(signal.record.id));
    other.store.deliver('mail', handler, ['end']);
    const another = await other.start(`${elsewhere} `.trim(), 5, 10);
    expect(await other.store.touch([broken, another])).not.toContain(another.id);
    await other.store.end(another.id, 'logout');
    await eventually(async () => {
      await other.look();
      return handled.includes(another.id);
    });
    // What cannot be told is not ended.
    if (key.endsWith('e')) await expect(other.store.end(leaving.id, 'logout')).rejects.toThrow(StoreFailure);
    expect(await server.command('GET', keyOf(broken.id))).toContain('|0.1/0.2/|');
    expect(isEnded(broken.id)).toBe(false);

    await server.command('DEL', key);
    expect(await other.store.end(leaving.id, 'logout')).toBeDefined();
    await eventually(async () => {
      expect(await look()).toBeUndefined();
      await other.look();
      return handled.includes(broken.id) && handled.includes(leaving.id);
    });
    expect(new Set(handled).size).toBe(handled.length);
    expect(await server.command('GET', keyOf(broken.id))).toMatch(/^idle\/\d+$/);
    expect(isEnded(broken.id) && isEnded(leaving.id)).toBe(true);
    await member.trim();
    expect([...member.store.failures()]).toEqual([]);
    await other.store.close();
  });

  it('files a thousand sessions anew whose deadlines were lost with what stood in their place', async () => {
    const ids = Array.from({ length: 3000 }, (_, number) => references.ofSession(`many ${number}`));
    const text = `${Date.now()}-|1700000000000|540/600/|1|||eve`;
    const own = ids.filter((id) => shardOf(id) === 0);
    await Promise.all(
      chunk(ids, 500).map((part) => server.command('MSET', ...part.flatMap((id) => [keyOf(id), text]))),
    );
    await server.command('SET', 'ss:{0}:d', 'x');
    await look();
    await server.command('DEL', 'ss:{0}:d');
    await eventually(async () => {
      await look();
      return (await server.command('HGET', 'ss:{0}:c', 'r')) === null;
    });
    await member.look();
    const filed = (await server.command('ZRANGE', 'ss:{0}:d', '0', '-1')) as string[];
    expect(filed.sort()).toEqual(own.sort());
  });

  it('a sign-in that cannot be indexed is none, and an end is one all the same', async () => {
    const record = await member.start('sid', 5, 10, 'anna');
    const [index] = (await server.command('KEYS', 'ss:*:u:*')) as [string];
    const shards = [0, 1, 2, 3].map((shard) => index.replace(/\d+/, String(shard)));
    for (const key of shards) await server.command('SET', key, 'x');
    await expect(member.start('another', 5, 10, 'anna')).rejects.toThrow(/WRONGTYPE/);
    expect(await member.store.find(references.ofSession('another'))).toBeUndefined();
    expect(await member.store.end(record.id, 'logout')).toBeDefined();
    expect(await look()).toBeUndefined();
    expect(isEnded(record.id)).toBe(true);
  });
});

function shardOf(id: string): number {
  return Buffer.from(id.slice(0, 6), 'base64url').readUInt32BE(0) % 4;
}

function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, number) =>
    items.slice(number * size, (number + 1) * size),
  );
}
