import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';
import type { EndMode, EndReason } from '../../lib/activity/activity-record.js';
import { type Limits, NEVER } from '../../lib/policy/index.js';
import { RedisKeys } from '../../lib/redis/redis-keys.js';
import { portTo, type RedisPort } from '../../lib/redis/redis-port.js';
import { RedisScripts, type ScriptName } from '../../lib/redis/redis-scripts.js';
import { constantsOf, limitsText } from '../../lib/redis/stored-record.js';
import { RedisModel } from '../support/redis-model/redis-model.js';
import { RedisServer } from '../support/redis-server.js';

/** `SEED=17` plays one game again, `GAMES=1000` plays more of them. */
const GAMES = Number(process.env['GAMES'] ?? 40);
const SEEDS = process.env['SEED'] === undefined ? range(GAMES) : [Number(process.env['SEED'])];
const MOVES = 150;
const SLACK_MS = 1000;
const SHARDS = 2;
const IDS = range(8).map((number) => createHash('sha1').update(`${number}`).digest('base64url').slice(0, 22));
const LIMITS: readonly Limits[] = [
  { warnAfter: 3, expireAfter: 5, maxLifetime: null },
  { warnAfter: 0.5, expireAfter: 1.5, maxLifetime: null },
  { warnAfter: 4, expireAfter: 6, maxLifetime: 9 },
  { warnAfter: 2, expireAfter: 8, maxLifetime: 8.5 },
  NEVER,
];
const USER = 'anna|with a bar';
const REASONS: readonly EndReason[] = ['logout', 'revoked', 'replaced', 'idle', 'lifetime'];
const MODES: readonly EndMode[] = ['end', 'keep'];
const GROUPS = ['mail', 'audit'];
const MEMBERS = ['one', 'other'];
/** Nothing here is idle for so long, but what a member has left behind. */
const AN_HOUR_MS = 3_600_000;
/** What answers say where there was nothing to do. */
const EMPTY = new Set(['[]', '0', 'null', '"NOGROUP"', '"BUSYGROUP"']);
/** The model's own clock may show anything, as long as the mark of its shards' clocks is ahead of it. */
const MODELLED_OWN = 1_600_000_000_000;

const keys = new RedisKeys('ss', SHARDS);
const shards = range(SHARDS);
const keysOf = (shard: number): string[] => [keys.clock(shard), keys.deadlines(shard), keys.stream(shard)];

/** The real server or the model; what it answers can be compared once the entries' ids are replaced by their order. */
class Side {
  readonly scripts: RedisScripts;
  readonly #entryIds: string[][] = shards.map(() => []);

  constructor(
    readonly port: RedisPort,
    /** All entries of a shard's stream. */
    private readonly read: (shard: number) => Promise<(readonly [entryId: string, text: string])[]>,
    readonly setClock: (shard: number, field: 'mark' | 'ahead' | 'hold', value: number) => unknown,
  ) {
    this.scripts = new RedisScripts(port);
  }

  async forget(): Promise<void> {
    this.#entryIds.forEach((entryIds) => entryIds.splice(0));
    await this.#notice();
  }

  async run(name: ScriptName, runKeys: readonly string[], args: readonly (string | number)[]) {
    const answer = await this.#said(this.scripts.run(name, runKeys, args));
    // A look answers for one shard after the other; all else that speaks of entries is about one shard.
    if (name !== 'look') return this.#comparable(answer, shardIn(runKeys[0]!));
    return (answer as unknown[]).map((part, number) => this.#comparable(part, shardIn(runKeys[number * 3]!)));
  }

  send(...command: [string, ...string[]]) {
    return this.#said(this.port.send(command[1]!, command));
  }

  async entries(shard: number): Promise<unknown> {
    return this.#comparable(await this.read(shard), shard);
  }

  /** The id on this side of a shard's entry of that number; the beginning of the stream if there is none. */
  entryId(shard: number, number: number): string {
    return this.#entryIds[shard]![number] ?? '0-0';
  }

  entryCount(shard: number): number {
    return this.#entryIds[shard]!.length;
  }

  /** An error is an answer too: its first word. */
  async #said(answer: Promise<unknown>): Promise<unknown> {
    const said = await answer.catch((error: Error) => error.message.split(' ')[0]);
    await this.#notice();
    return said;
  }

  async #notice(): Promise<void> {
    for (const shard of shards) {
      const known = new Set(this.#entryIds[shard]);
      for (const [entryId] of await this.read(shard)) {
        if (!known.has(entryId)) this.#entryIds[shard]!.push(entryId);
      }
    }
  }

  #comparable(answer: unknown, shard: number): unknown {
    if (Array.isArray(answer)) return answer.map((part) => this.#comparable(part, shard));
    if (typeof answer !== 'string' || !/^\d+-\d+$/.test(answer) || answer === '0-0') return answer;
    return `entry ${this.#entryIds[shard]!.indexOf(answer)}`;
  }
}

function shardIn(key: string): number {
  return Number(/\{(\d+)\}/.exec(key)![1]);
}

describe('9 the model of Redis', () => {
  let server: RedisServer;
  let client: Awaited<ReturnType<typeof connect>>;
  let real: Side;
  const told = new Set<string>();
  const answered = new Set<string>();

  beforeAll(async () => {
    server = await RedisServer.start();
    client = await connect(server.url);
    const fields = { mark: 'n', ahead: 'o', hold: 'h' } as const;
    real = new Side(
      portTo(client),
      async (shard) => {
        const entries = (await send('XRANGE', keys.stream(shard), '-', '+')) as [string, [string, string]][];
        return entries.map(([entryId, [, text]]) => [entryId, text] as const);
      },
      (shard, field, value) => send('HSET', keys.clock(shard), fields[field], String(value)),
    );
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  const send = (...command: string[]): Promise<unknown> => client.sendCommand(command);
  const lookArgs = (sessions: number, entries: number): number[] => [
    ...[SLACK_MS, 3600, sessions, entries, 3_600_000],
  ];

  it.each(SEEDS)('answers as the real one does, and keeps what it keeps (seed %i)', async (seed) => {
    await send('FLUSHALL');
    const random = randomFrom(seed);
    const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
    const upTo = (most: number): number => Math.floor(random() * (most + 1));
    const model = new RedisModel(SHARDS, () => MODELLED_OWN);
    const modelled = new Side(
      {
        spansSlots: true,
        send: (_key, command) =>
          new Promise((resolve) => resolve(JSON.parse(JSON.stringify(model.carryOut(command))))),
      },
      (shard) =>
        Promise.resolve(
          model.shards[shard]!.stream.entries.map(({ entryId, text }) => [entryId, text] as const),
        ),
      (shard, field, value) => (model.shards[shard]!.clock[field] = value),
    );
    const sides = [real, modelled];
    const both = async (work: (side: Side) => Promise<unknown>): Promise<unknown[]> => {
      // Time stands still during a move, which a look would end.
      for (const side of sides) for (const shard of shards) await side.setClock(shard, 'ahead', 0);
      return [await work(real), await work(modelled)];
    };
    await Promise.all(sides.map((side) => side.forget()));
    // From now on the marks of the shards' clocks are ahead of the servers' own, and are the time.
    let now = Date.now() + 86_400_000;
    let life = 0;
    const played: string[] = [];

    const moves: Record<string, () => Promise<unknown[]>> = {
      start: () => {
        const id = among(IDS);
        const known = model.shardOf(id).records.get(id)?.life;
        const record = {
          id,
          life: known !== undefined && random() < 0.3 ? known : ++life,
          startedAt: now - upTo(3000),
          lastActivityAt: now + upTo(2000) - 1000,
          limits: among(LIMITS),
          ...(random() < 0.5 && { userId: USER }),
          ...(random() < 0.3 && { device: 'Firefox on Windows' }),
        };
        const constants = constantsOf(record, random() < 0.7 ? 'sealed' : undefined);
        const args = [id, record.lastActivityAt, constants, SLACK_MS, random() < 0.2 ? 1 : 0];
        return both((side) => side.run('start', [...keysOf(keys.shardOf(id)), keys.session(id)], args));
      },
      touch: () => {
        const touched = IDS.filter(() => random() < 0.4);
        const parts = shards
          .map((shard) => ({ shard, ids: touched.filter((id) => keys.shardOf(id) === shard) }))
          .filter(({ ids }) => ids.length > 0);
        if (parts.length === 0) return Promise.resolve(['nothing', 'nothing']);
        const args = parts.flatMap(({ ids }) => [
          ids.length,
          ...ids.flatMap((id) => {
            const known = model.shardOf(id).records.get(id)?.life ?? 0;
            return [id, now + upTo(4000) - 3000, among(['', known, known, known - 1])];
          }),
        ]);
        const touchedKeys = parts.flatMap(({ shard }) => keysOf(shard));
        return both((side) => side.run('touch', touchedKeys, [SLACK_MS, ...args]));
      },
      adjust: () => {
        const id = among(IDS);
        const args = [id, limitsText(among(LIMITS)), SLACK_MS, now - upTo(3000), now - upTo(3000)];
        return both((side) => side.run('adjust', [...keysOf(keys.shardOf(id)), keys.session(id)], args));
      },
      end: () => {
        const id = among(IDS);
        const args = [id, among(REASONS), 3600, among(MODES)];
        return both((side) => side.run('end', [...keysOf(keys.shardOf(id)), keys.session(id)], args));
      },
      move: () => {
        const id = among(IDS);
        const args = [id, 3600, among(['', among(IDS)])];
        return both((side) => side.run('move', [...keysOf(keys.shardOf(id)), keys.session(id)], args));
      },
      expire: () => {
        const id = among(IDS);
        const args = [id, SLACK_MS, 3600];
        return both((side) => side.run('expire', [...keysOf(keys.shardOf(id)), keys.session(id)], args));
      },
      find: () => {
        const key = keys.session(among(IDS));
        return both((side) => side.send('GET', key));
      },
      look: () => {
        const seen = random() < 0.5 ? shards : [among(shards)];
        const args = lookArgs(upTo(IDS.length), among([0, 1, 3, 100]));
        // From the beginning, from the end, or from the first of some entries that is still there.
        const from = seen.map((shard) =>
          among([[-1], [], range(1 + upTo(2)).map(() => upTo(real.entryCount(shard)))]),
        );
        return both((side) => {
          const heard = seen.map((shard, index) =>
            from[index]!.map((number) => side.entryId(shard, number)).join(),
          );
          return side.run('look', seen.flatMap(keysOf), [...args, ...heard]);
        });
      },
      found: () => {
        const command = ['XGROUP', 'CREATE', keys.stream(among(shards)), among(GROUPS)] as const;
        const from = among(['$', '0']);
        return both((side) => side.send(...command, from, 'MKSTREAM'));
      },
      'read-group': () => {
        const [stream, args] = [keys.stream(among(shards)), [among(GROUPS), among(MEMBERS), 1 + upTo(4)]];
        return both((side) => side.run('read-group', [stream], args));
      },
      acknowledge: () => {
        const [shard, group] = [among(shards), among(GROUPS)];
        const numbers = range(1 + upTo(3)).map(() => upTo(real.entryCount(shard)));
        return both((side) =>
          side.send(
            'XACK',
            keys.stream(shard),
            group,
            ...numbers.map((number) => side.entryId(shard, number)),
          ),
        );
      },
      retry: () => {
        const [shard, group, member] = [among(shards), among(GROUPS), among(MEMBERS)];
        const number = upTo(real.entryCount(shard));
        return both((side) =>
          side.run('retry', [keys.stream(shard)], [group, member, side.entryId(shard, number)]),
        );
      },
      reclaim: () => {
        const args = [among(GROUPS), among(MEMBERS), among([0, AN_HOUR_MS]), 1 + upTo(5)];
        const stream = keys.stream(among(shards));
        return both((side) => side.run('reclaim', [stream], args));
      },
      'set-aside': () => {
        const [shard, group] = [among(shards), among(GROUPS)];
        const number = upTo(real.entryCount(shard));
        const streams = [keys.stream(shard), keys.deadLetters(shard)];
        return both((side) =>
          side.run('set-aside', streams, [group, side.entryId(shard, number), 'why', 8, 100]),
        );
      },
      'leave-group': () => {
        const [stream, args] = [keys.stream(among(shards)), [among(GROUPS), among(MEMBERS)]];
        return both((side) => side.run('leave-group', [stream], args));
      },
      trim: () => {
        const shard = among(shards);
        // As old as need be, or as none is.
        const args = [among([-60_000, AN_HOUR_MS]), 86_400_000];
        return both((side) => side.run('trim', [keys.clock(shard), keys.stream(shard)], args));
      },
    };
    const often = ['start', 'touch', 'look', 'look', 'read-group', 'acknowledge', 'find'];
    const names = [...Object.keys(moves), ...often, 'start', 'touch', 'look', 'end', 'expire'];

    for (let turn = 0; turn < MOVES; turn++) {
      now += among([0, 1, 100, 500, 1000, 1700, 3000]);
      for (const side of sides) for (const shard of shards) await side.setClock(shard, 'mark', now);
      if (random() < 0.05) {
        const shard = among(shards);
        for (const side of sides) await side.setClock(shard, 'hold', now + 1500);
      }
      const name = among(names);
      played.push(`${name} at ${now}`);
      const [said, expected] = await moves[name]!();
      expect({ played, said }).toEqual({ played, said: expected });
      if (!EMPTY.has(JSON.stringify(said))) answered.add(name);
    }
    const kept = (side: Side): Promise<unknown[]> =>
      Promise.all([
        ...IDS.map((id) => side.send('GET', keys.session(id))),
        ...shards.map((shard) => side.entries(shard)),
        ...shards.map(async (shard) => {
          const found = await side.run('of-user', [keys.index(shard, USER)], [keys.tagOf(USER)]);
          return (found as string[]).sort();
        }),
        ...shards.flatMap((shard) =>
          GROUPS.map((group) => side.run('reclaim', [keys.stream(shard)], [group, 'checker', 0, 1000])),
        ),
      ]);
    expect(await kept(real)).toEqual(await kept(modelled));
    for (const [shard, { deadlines, stream }] of model.shards.entries()) {
      const filed = (await send('ZRANGE', keys.deadlines(shard), '0', '-1', 'WITHSCORES')) as string[];
      const inOrder = [...deadlines].sort(
        ([one, first], [other, second]) => first - second || (one < other ? -1 : 1),
      );
      expect(filed).toEqual(inOrder.flat().map(String));
      for (const { kind } of stream.entries) told.add(kind);
    }
  });

  it('has the same idea of the time, wherever the clock of the server is set', async () => {
    let own = 0;
    const model = new RedisModel(1, () => own);
    const { clock } = model.shards[0]!;
    const owns = async (): Promise<number> => {
      const [seconds, microseconds] = (await send('TIME')) as [string, string];
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    };
    const look = async (): Promise<number> => {
      const [[now]] = (await real.scripts.run('look', keysOf(0), [...lookArgs(1, 100), ''])) as [[string]];
      return Number(now);
    };
    // So far that how long a command takes decides nothing.
    for (const behind of [-3_600_000, -60_000, 60_000, 120_000, 3_600_000]) {
      for (const ahead of [0, 60_000, 62_500, 120_000, 3_600_000, 3_602_500]) {
        own = await owns();
        Object.assign(clock, { mark: own + behind, ahead });
        await real.setClock(0, 'mark', clock.mark);
        await real.setClock(0, 'ahead', ahead);
        const now = await look();
        expect(now).toBeGreaterThanOrEqual(model.shards[0]!.now());
        own = await owns();
        expect(now).toBeLessThanOrEqual(model.shards[0]!.now());
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
    // One game alone may never come to some of them.
    expect(answered.size).toBeGreaterThanOrEqual(SEEDS.length > 1 ? 15 : 5);
  });
});

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
