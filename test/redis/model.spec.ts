import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';
import type { EndMode, EndReason } from '../../lib/activity/activity-record.js';
import { type Limits, NEVER } from '../../lib/policy/index.js';
import { RedisKeys } from '../../lib/redis/redis-keys.js';
import { portTo } from '../../lib/redis/redis-port.js';
import { RedisScripts } from '../../lib/redis/redis-scripts.js';
import { limitsText } from '../../lib/redis/stream-entry.js';
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
  /** Answers what follows the time in the script's reply, and checks that this is the time that was set. */
  const run = async (
    name: Parameters<RedisScripts['run']>[0],
    more: string[],
    args: (string | number)[],
    now: number,
  ) => {
    const given = [keys.clock(0), keys.deadlines(0), ...more];
    // Time stands still during a move, which a look would end.
    await setClock('o', 0);
    const [at, ...reply] = (await scripts.run(name, given, args)) as [string, ...unknown[]];
    expect(Number(at)).toBe(now);
    return reply;
  };

  it.each(SEEDS)('answers as they do, and keeps what they keep (seed %i)', async (seed) => {
    await send('FLUSHALL');
    const random = randomFrom(seed);
    const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
    const model = new RedisModel(SLACK_MS);
    // The first look ever finds that nobody has looked for long.
    const look = ['', 100, STANDSTILL_MS, HOLD_MS, 3_600_000];
    const [first, , , , held] = (await scripts.run(
      'poll',
      [keys.clock(0), keys.deadlines(0), keys.stream(0)],
      [1, ...look],
    )) as [string, ...unknown[]];
    expect(model.poll(1, STANDSTILL_MS, HOLD_MS, Number(first))).toEqual({ due: [], held: held === 1 });
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
          ...(random() < 0.5 && { userId: 'anna' }),
        };
        const silent = random() < 0.2;
        const user = record.userId === undefined ? [] : ['u', record.userId];
        const { startedAt, lastActivityAt, limits } = record;
        await run(
          'start',
          [keys.stream(0), keys.record(id)],
          [id, startedAt, lastActivityAt, limitsText(limits), record.life, SLACK_MS, silent ? 1 : 0, ...user],
          now,
        );
        model.start(id, record, silent, now);
        return [null, null];
      },
      touch: async () => {
        const updates = IDS.filter(() => random() < 0.4).map((id) => ({
          id,
          lastActivityAt: now + Math.floor(random() * 4000) - 3000,
        }));
        const [gone] = await run(
          'touch',
          [keys.stream(0), ...updates.map(({ id }) => keys.record(id))],
          [SLACK_MS, ...updates.flatMap(({ id, lastActivityAt }) => [id, lastActivityAt])],
          now,
        );
        return [(gone as number[]).map((number) => updates[number]!.id), model.touch(updates, now)];
      },
      adjust: async () => {
        const [id, limits] = [among(IDS), among(LIMITS)];
        const [startedAt, lastActivityAt] = [
          now - Math.floor(random() * 3000),
          now - Math.floor(random() * 3000),
        ];
        const [done] = await run(
          'adjust',
          [keys.record(id)],
          [id, limitsText(limits), SLACK_MS, startedAt, lastActivityAt],
          now,
        );
        return [done === 1, model.adjust(id, limits, startedAt, lastActivityAt, now)];
      },
      end: async () => {
        const [id, reason, mode] = [among(IDS), among(REASONS), among(MODES)];
        const [record] = await run(
          'end',
          [keys.stream(0), keys.record(id), keys.tombstone(id)],
          [id, reason, 3600, mode],
          now,
        );
        return [record !== null, model.end(id, reason, mode, now)];
      },
      look: async () => {
        const limit = 1 + Math.floor(random() * IDS.length);
        const [due, , , held] = await run('poll', [keys.stream(0)], [limit, ...look], now);
        const modelled = model.poll(limit, STANDSTILL_MS, HOLD_MS, now);
        const ids = random() < 0.8 ? (due as string[]) : IDS;
        const [states] = await run(
          'claim',
          [keys.stream(0), ...ids.flatMap((id) => [keys.record(id), keys.tombstone(id)])],
          [SLACK_MS, 3600, ...ids],
          now,
        );
        const claims = (states as (string | null)[][]).map(([state, dueAt, reason]) => ({
          state,
          ...(dueAt != null && { dueAt: Number(dueAt), reason }),
        }));
        return [
          { due, held: held === 1, claims },
          { ...modelled, claims: model.claim(ids, now) },
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
      const name = among(['start', 'touch', 'touch', 'adjust', 'end', 'look', 'look', 'look']);
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
    const look = async (): Promise<number> => {
      const given = [keys.clock(0), keys.deadlines(0), keys.stream(0)];
      return Number(
        ((await scripts.run('poll', given, [1, '', 1, STANDSTILL_MS, HOLD_MS, 60_000])) as string[])[0],
      );
    };
    // So far that how long a command takes decides nothing.
    for (const behind of [-3_600_000, -60_000, 60_000, 120_000, 3_600_000]) {
      for (const ahead of [0, 60_000, 62_500, 120_000, 3_600_000, 3_602_500]) {
        const before = await owns();
        Object.assign(model.clock, { mark: before + behind, ahead });
        await setClock('n', model.clock.mark);
        await setClock('o', ahead);
        const now = await look();
        expect(now).toBeGreaterThanOrEqual(model.nowAt(before));
        const after = await owns();
        expect(now).toBeLessThanOrEqual(model.nowAt(after));
        // What the look has found is where time goes on from, on a server whose clock is no other.
        expect(await look()).toBeGreaterThanOrEqual(now);
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
      records: await pairs(async (id) => {
        const fields = (await send('HMGET', keys.record(id), 's', 'a', 'l', 'f', 'u', 'w')) as (
          string | null
        )[];
        return fields.every((field) => field === null) ? null : fields;
      }),
      deadlines: range(deadlines.length / 2).map((number) => [
        deadlines[number * 2],
        Number(deadlines[number * 2 + 1]),
      ]),
      tombstones: await pairs((id) => send('GET', keys.tombstone(id)) as Promise<string | null>),
      stream: entries.map(([, fields]) => entryOf(fields)),
    };
  }
});

function keptBy({ records, deadlines, tombstones, stream }: RedisModel): object {
  return {
    records: IDS.flatMap((id) => {
      const record = records.get(id);
      if (!record) return [];
      const { startedAt, lastActivityAt, limits, life, userId = null, warned } = record;
      const numbers = [startedAt, lastActivityAt].map(String);
      return [[id, [...numbers, limitsText(limits), String(life), userId, warned ? '1' : null]]];
    }),
    deadlines: [...deadlines].sort(
      ([one, first], [other, second]) => first - second || (one < other ? -1 : 1),
    ),
    tombstones: IDS.flatMap((id) => (tombstones.has(id) ? [[id, tombstones.get(id)]] : [])),
    stream,
  };
}

function entryOf(fields: readonly string[]): ModelEntry {
  const values = new Map(
    range(fields.length / 2).map((number) => [fields[number * 2]!, fields[number * 2 + 1]!]),
  );
  return {
    kind: values.get('e') as ModelEntry['kind'],
    id: values.get('i')!,
    at: Number(values.get('t')),
    lastActivityAt: Number(values.get('a')),
    ...(values.has('r') && { reason: values.get('r') as EndReason }),
    ...(values.has('d') && { dueAt: Number(values.get('d')) }),
    ...(values.has('b') && { keepsBlob: true as const }),
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
