import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/real-time.js';
import { RedisServer } from '../support/redis-server.js';
import { compile, removeCompiled } from '../support/compiled.js';
import { Engine, notesOf, recordedEnds } from './support/engine.js';

/** As many as a busy machine of two cores can carry; docs/redis.md has the command for the full size. */
const SESSIONS = Number(process.env['SESSIONS'] ?? 2000);
const RUNS = Number(process.env['RUNS'] ?? 2);
const PATIENCE_MS = 60_000 + SESSIONS * 10;
/** About as long as it takes until a session has been touched again, so that touches come around the deadlines. */
const EXPIRE_AFTER = Math.max(4, SESSIONS / 3000);
const LIMITS = [EXPIRE_AFTER - 1, EXPIRE_AFTER] as const;
const TOUCHING_MS = 3000 + SESSIONS;

describe('many processes', () => {
  let compiled: string;
  let server: RedisServer;
  let notes: string;
  let engines: Engine[] = [];

  const boot = async (count: number, clockShifts: readonly number[] = []): Promise<Engine[]> => {
    engines = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        Engine.boot(compiled, notes, server.url, clockShifts[index]),
      ),
    );
    return engines;
  };
  const startShares = async (sessions: number): Promise<void> => {
    const share = sessions / engines.length;
    await Promise.all(
      engines.map((engine, index) =>
        engine.order({ do: 'start', from: index * share, to: (index + 1) * share, limits: LIMITS }),
      ),
    );
  };
  /** Waits until the groups have handled every end. */
  const allHandled = (sessions: number): Promise<unknown> =>
    eventually('every end handled', () => handledEnds().size === sessions, PATIENCE_MS);
  const handledEnds = (): Map<string, Set<string>> => {
    const ids = new Map<string, Set<string>>();
    for (const line of notesOf(notes, 'handled')) {
      const [user, kind, id] = line.split(' ') as [string, string, string];
      if (kind === 'end') ids.set(user, (ids.get(user) ?? new Set()).add(id));
    }
    return ids;
  };
  const lastAccepted = (): Map<string, number> => {
    const last = new Map<string, number>();
    for (const line of notesOf(notes, 'accepted')) {
      const [user, at] = line.split(' ') as [string, string];
      last.set(user, Math.max(last.get(user) ?? 0, Number(at)));
    }
    return last;
  };
  /** The promises that hold in every run, whatever dies. */
  const expectPromisesKept = async (sessions: number): Promise<void> => {
    const [ends, accepted] = [await recordedEnds(server), lastAccepted()];
    expect(ends).toHaveLength(sessions);
    expect(new Set(ends.map(({ user }) => user)).size).toBe(sessions);
    const early = ends.filter(({ user, at }) => at < accepted.get(user)! + EXPIRE_AFTER * 1000);
    const acceptedAfterwards = ends.filter(({ user, at }) => accepted.get(user)! > at);
    expect({ early, acceptedAfterwards }).toEqual({ early: [], acceptedAfterwards: [] });
    expect(new Set([...handledEnds().values()].map((ids) => ids.size))).toEqual(new Set([1]));
  };
  /** Printed and not judged: on a machine that is busy with other things, nothing comes on time. */
  const sayHowLate = async (): Promise<void> => {
    const [ends, touches] = [await recordedEnds(server), notesOf(notes, 'accepted').length];
    const late = ends.map(({ at, dueAt }) => at - dueAt).sort((one, other) => one - other);
    const [median, last] = [late[Math.floor(late.length / 2)], late.at(-1)];
    process.stdout.write(
      `    measured: ${ends.length} ends, accepted ${touches}, late by ${median} ms in the median, ${last} ms at most\n`,
    );
  };
  beforeAll(async () => {
    compiled = compile();
    server = await RedisServer.start();
  });
  afterAll(async () => {
    await server.stop();
    removeCompiled(compiled);
  });
  beforeEach(async () => {
    notes = mkdtempSync(join(tmpdir(), 'engines-'));
    await server.command('FLUSHALL');
  });
  afterEach(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    rmSync(notes, { recursive: true });
  });

  it.each(Array.from({ length: RUNS }, (_, run) => run + 1))(
    '1 four processes, random touches around the deadlines, one killed: nothing lost, doubled or early (run %i)',
    async () => {
      const sessions = SESSIONS;
      const [, , , victim] = await boot(4);
      const touching = engines.map((engine) => engine.order({ do: 'touch', sessions, forMs: TOUCHING_MS }));
      await startShares(sessions);
      await pause(1000 + Math.random() * 3500);
      await victim!.kill();
      await Promise.all(touching);
      await allHandled(sessions);
      await expectPromisesKept(sessions);
      await sayHowLate();
    },
    PATIENCE_MS + 60_000,
  );

  it(
    '2 all processes stopped across the deadlines, one started: every event arrives, with its lateness',
    async () => {
      const sessions = 500;
      await boot(2);
      await startShares(sessions);
      await Promise.all(engines.map((engine) => engine.close()));
      await pause((EXPIRE_AFTER + 2) * 1000);
      await boot(1);
      await allHandled(sessions);
      await expectPromisesKept(sessions);
      const late = (await recordedEnds(server)).map(({ at, dueAt }) => at - dueAt);
      expect(Math.min(...late)).toBeGreaterThan(1000);
      expect(Math.max(...late)).toBeLessThan(PATIENCE_MS);
    },
    PATIENCE_MS + 60_000,
  );

  it(
    '5 application clocks ten minutes apart change nothing',
    async () => {
      const sessions = 1500;
      await boot(3, [-600_000, 0, 600_000]);
      await startShares(sessions);
      await Promise.all(engines.map((engine) => engine.order({ do: 'touch', sessions, forMs: 2000 })));
      await allHandled(sessions);
      await expectPromisesKept(sessions);
    },
    PATIENCE_MS + 60_000,
  );

  it(
    '7 after everything has ended, only streams, tombstones and the shards’ clocks are left',
    async () => {
      const sessions = 500;
      await boot(2);
      await startShares(sessions);
      await allHandled(sessions);
      await eventually(
        'every blob removed',
        () => new Set(notesOf(notes, 'destroyed')).size === sessions,
        PATIENCE_MS,
      );
      const left = async (): Promise<string[]> => {
        const keys = (await server.command('KEYS', '*')) as string[];
        return keys.filter((key) => !/^ss:\{\d+\}:(e|c|s:[\w-]{22})$/.test(key));
      };
      await eventually('nothing else left', async () => (await left()).length === 0, PATIENCE_MS);
      for (const key of (await server.command('KEYS', 'ss:*:[sc]*')) as string[]) {
        expect(await server.command('TTL', key)).toBeGreaterThan(0);
      }
    },
    PATIENCE_MS + 60_000,
  );
});
