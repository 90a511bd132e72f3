import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';
import type { EndMode, EndReason } from '../../lib/activity/activity-record.js';
import { type Limits, NEVER } from '../../lib/policy/index.js';
import { RedisKeys } from '../../lib/redis/redis-keys.js';
import { portTo } from '../../lib/redis/redis-port.js';
import { RedisScripts } from '../../lib/redis/redis-scripts.js';
import { constantsOf, limitsText } from '../../lib/redis/stored-record.js';
import { RedisServer } from '../support/redis-server.js';
import { type ModelEntry, type ModelRecord, RedisModel } from './support/redis-model.js';

/** `SEED=17` plays one game again, `GAMES=1000` plays more of them. */
const GAMES = Number(process.env['GAMES'] ?? 60);
const SEEDS = process.env['SEED'] === undefined ? range(GAMES) : [Number(process.env['SEED'])];
const MOVES = 150;
const SLACK_MS = 1000;
const STANDSTILL_MS = 2500;
const HOLD_MS = 2000;
const IDS = range(6).map((number) => `session-${number}`);
const LIMITS: readonly Limits[] = [
  { warnAfter: 3, expireAfter: 5, maxLifetime: null },
  { warnAfter: 0.5, expireAfter: 1.5, maxLifetime: null },
  { warnAfter: 4, expireAfter: 6, maxLifetime: 9 },
  { warnAfter: 2, expireAfter: 8, maxLifetime: 8.5 },
  NEVER,
];
const USER = 'anna|with a bar';
const REASONS: readonly EndReason[] = ['logout', 'revoked', 'replaced', 'idle', 'lifetime'];
const MODES: readonly EndMode[] = ['end', 'keep', 'move'];

describe('9 the model of the scripts', () => {
  let server: RedisServer;
  let client: Awaited<ReturnType<typeof connect>>;
  let scripts: RedisScripts;
  const keys = new RedisKeys('ss', 1);
  const told = new Set<string>();

  beforeAll(async () => {
    server = await RedisServer.start();
    client = await connect(server.url);
    scripts = new RedisScripts(portTo(client));
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  const setClock = (field: string, value: number): Promise<unknown> =>
    send('HSET', keys.clock(0), field, String(value));
  const send = (...command: string[]): Promise<unknown> => client.sendCommand(command);
  const shard = [keys.clock(0), keys.deadlines(0), keys.stream(0)];
  /** Answers what follows the time in the script's reply, and checks that this is the time that was set. */
  const run = async (
    name: Parameters<RedisScripts['run']>[0],
    id: string,
    args: (string | number)[],
    now: number,
  ): Promise<unknown[]> => {
    // Time stands still during a move, which a look would end.
    await setClock('o', 0);
    const [at, ...reply] = (await scripts.run(name, [...shard, keys.session(id)], [id, ...args])) as [
      string,
      ...unknown[],
    ];
    expect(Number(at)).toBe(now);
    return reply;
  };
  const look = async (limit: number): Promise<unknown[]> => {
    const args = [SLACK_MS, 3600, limit, 100, STANDSTILL_MS, HOLD_MS, 3_600_000, ''];
    const [reply] = (await scripts.run('look', shard, args)) as unknown[][];
    return reply!;
  };

  it.each(SEEDS)('answers as they do, and keeps what they keep (seed %i)', async (seed) => {
    await send('FLUSHALL');
    const random = randomFrom(seed);
    const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
    const model = new RedisModel(SLACK_MS);
    // The first look ever finds that nobody has looked for long.
    const [first, , , , , held] = await look(1);
    expect(model.look(1, STANDSTILL_MS, HOLD_MS, Number(first))).toEqual({
      told: [],
      isMore: false,
      held: held === 1,
    });
    // From now on the mark of the shard's clock is ahead of the server's own, and is the time.
    let now = Number(first) + 86_400_000;
    let life = 0;
    const played: string[] = [];

    const moves: Record<string, () => Promise<[real: unknown, modelled: unknown]>> = {
      start: async () => {
        const id = among(IDS);
        const known = model.records.get(id)?.life;
        const record: Omit<ModelRecord, 'warned'> = {
          life: known !== undefined && random() < 0.3 ? known : ++life,
          startedAt: now - Math.floor(random() * 3000),
          lastActivityAt: now + Math.floor(random() * 2000) - 1000,
          limits: among(LIMITS),
          ...(random() < 0.5 && { userId: USER }),
        };
        const silent = random() < 0.2;
        const args = [record.lastActivityAt, constantsOf({ id, ...record }), SLACK_MS, silent ? 1 : 0];
        await run('start', id, args, now);
        model.start(id, record, silent, now);
        return [null, null];
      },
      touch: async () => {
        const updates = IDS.filter(() => random() < 0.4).map((id) => ({
          id,
          lastActivityAt: now + Math.floor(random() * 4000) - 3000,
        }));
        if (updates.length === 0) return [null, null];
        await setClock('o', 0);
        const [gone, at] = (await scripts.run('touch', shard, [
          ...[SLACK_MS, updates.length],
          ...updates.flatMap(({ id, lastActivityAt }) => [id, lastActivityAt]),
        ])) as [number[], string];
        expect(Number(at)).toBe(now);
        return [gone.map((number) => updates[number]!.id), model.touch(updates, now)];
      },
      adjust: async () => {
        const [id, limits] = [among(IDS), among(LIMITS)];
        const [startedAt, lastActivityAt] = [
          now - Math.floor(random() * 3000),
          now - Math.floor(random() * 3000),
        ];
        const [done] = await run(
          'adjust',
          id,
          [limitsText(limits), SLACK_MS, startedAt, lastActivityAt],
          now,
        );
        return [done === 1, model.adjust(id, limits, startedAt, lastActivityAt, now)];
      },
      end: async () => {
        const [id, reason, mode] = [among(IDS), among(REASONS), among(MODES)];
        const [record] = await run('end', id, [reason, 3600, mode], now);
        return [record !== null, model.end(id, reason, mode, now)];
      },
      expire: async () => {
        const id = among(IDS);
        const [state, told] = await run('expire', id, [SLACK_MS, 3600], now);
        const entry = told === null ? {} : { told: entryOf(told as string) };
        return [{ state, ...entry }, model.settle(id, now)];
      },
      look: async () => {
        const limit = 1 + Math.floor(random() * IDS.length);
        await setClock('o', 0);
        const [at, told, , , isMore, held] = await look(limit);
        expect(Number(at)).toBe(now);
        return [
          { told: (told as string[]).map(entryOf), isMore: isMore === 1, held: held === 1 },
          model.look(limit, STANDSTILL_MS, HOLD_MS, now),
        ];
      },
    };

    for (let turn = 0; turn < MOVES; turn++) {
      now += among([0, 1, 100, 500, 1000, 1700, 3000]);
      await setClock('n', now);
      model.clock.mark = now;
      if (random() < 0.05) {
        model.clock.hold = now + 1500;
        await setClock('h', model.clock.hold);
      }
      const name = among(['start', 'touch', 'touch', 'adjust', 'end', 'expire', 'look', 'look', 'look']);
      played.push(`${name} at ${now}`);
      const [real, modelled] = await moves[name]!();
      expect({ played, answer: real }).toEqual({ played, answer: modelled });
    }
    expect(await kept()).toEqual(keptBy(model));
    for (const { kind } of model.stream) told.add(kind);
  });

  it('has the same idea of the time, wherever the clock of the server is set', async () => {
    const model = new RedisModel(SLACK_MS);
    const owns = async (): Promise<number> => {
      const [seconds, microseconds] = (await send('TIME')) as [string, string];
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    };
    // So far that how long a command takes decides nothing.
    for (const behind of [-3_600_000, -60_000, 60_000, 120_000, 3_600_000]) {
      for (const ahead of [0, 60_000, 62_500, 120_000, 3_600_000, 3_602_500]) {
        const before = await owns();
        Object.assign(model.clock, { mark: before + behind, ahead });
        await setClock('n', model.clock.mark);
        await setClock('o', ahead);
        const now = Number((await look(1))[0]);
        expect(now).toBeGreaterThanOrEqual(model.nowAt(before));
        const after = await owns();
        expect(now).toBeLessThanOrEqual(model.nowAt(after));
        // What the look has found is where time goes on from, on a server whose clock is no other.
        expect(Number((await look(1))[0])).toBeGreaterThanOrEqual(now);
        if (behind > 0) expect(await send('HGET', keys.clock(0), 'o')).not.toBe('0');
      }
    }
  });

  it('has been seen doing all that there is', () => {
    const kinds = SEEDS.length > 1 ? ['start', 'warn', 'renew', 'end', 'moved'] : [];
    expect([...told]).toEqual(expect.arrayContaining(kinds));
    expect(told.size).toBeGreaterThan(0);
  });

  /** All that lies in Redis, in the words of the model. */
  async function kept(): Promise<object> {
    const pairs = async <Value>(read: (id: string) => Promise<Value | null>): Promise<[string, Value][]> => {
      const found = await Promise.all(IDS.map(async (id) => [id, await read(id)] as const));
      return found.flatMap(([id, value]) => (value === null ? [] : [[id, value] as [string, Value]]));
    };
    const entries = (await send('XRANGE', keys.stream(0), '-', '+')) as [string, string[]][];
    const deadlines = (await send('ZRANGE', keys.deadlines(0), '0', '-1', 'WITHSCORES')) as string[];
    return {
      sessions: await pairs((id) => send('GET', keys.session(id)) as Promise<string | null>),
      deadlines: range(deadlines.length / 2).map((number) => [
        deadlines[number * 2],
        Number(deadlines[number * 2 + 1]),
      ]),
      ofUser: ((await scripts.run('of-user', [keys.index(0, USER)], [keys.tagOf(USER)])) as string[]).sort(),
      stream: entries.map(([, [, text]]) => entryOf(text!)),
    };
  }
});

function keptBy({ records, deadlines, tombstones, stream }: RedisModel): object {
  return {
    sessions: IDS.flatMap((id) => {
      const record = records.get(id);
      if (!record) return tombstones.has(id) ? [[id, tombstones.get(id)]] : [];
      return [[id, `${record.lastActivityAt}${record.warned ? 'w' : '-'}${constantsOf({ id, ...record })}`]];
    }),
    deadlines: [...deadlines].sort(
      ([one, first], [other, second]) => first - second || (one < other ? -1 : 1),
    ),
    ofUser: IDS.filter((id) => records.get(id)?.userId === USER),
    stream,
  };
}

function entryOf(text: string): ModelEntry {
  const [kind, id, at, reason, dueAt, keepsBlob, activity] = text.split('|');
  return {
    kind: kind as ModelEntry['kind'],
    id: id!,
    at: Number(at),
    lastActivityAt: parseInt(activity!, 10),
    ...(reason !== '' && { reason: reason as EndReason }),
    ...(dueAt !== '' && { dueAt: Number(dueAt) }),
    ...(keepsBlob === '1' && { keepsBlob: true as const }),
  };
}

async function connect(url: string) {
  return createClient({ url, RESP: 2 }).connect();
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
