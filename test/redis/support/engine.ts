import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from '../../support/redis-server.js';

/** What a process can be told to do. */
export type EngineOrder =
  | {
      readonly do: 'start';
      readonly from: number;
      readonly to: number;
      readonly limits: readonly [number, number];
    }
  | { readonly do: 'touch'; readonly sessions: number; readonly forMs: number }
  | { readonly do: 'close' };

/** A process of `engine-process.ts`. */
export class Engine {
  private constructor(private readonly child: ChildProcess) {}

  /** @param clockShiftMs how far its wall clock is off */
  static async boot(compiled: string, notes: string, url: string, clockShiftMs = 0): Promise<Engine> {
    const shift = `const now = Date.now; Date.now = () => now() + ${clockShiftMs};`;
    const child = fork(join(compiled, 'test/redis/support/engine-process.js'), [notes, url], {
      execArgv: ['--import', `data:text/javascript,${encodeURIComponent(shift)}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const engine = new Engine(child);
    await engine.#answer('boot');
    return engine;
  }

  async order(order: EngineOrder): Promise<number> {
    const answer = this.#answer(order.do);
    this.child.send(order);
    return answer;
  }

  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  /** Ends in good order. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.send({ do: 'close' } satisfies EngineOrder);
    await exited;
  }

  /** Resolves to what the process answers to an order; to 0 if it has been killed meanwhile. */
  #answer(wanted: string): Promise<number> {
    return new Promise((resolve) => {
      const listen = (message: unknown): void => {
        const { done, answer } = message as { done: string; answer?: number };
        if (done !== wanted) return;
        this.child.off('message', listen);
        resolve(answer ?? 0);
      };
      this.child.on('message', listen);
      this.child.once('exit', () => resolve(0));
    });
  }
}

/** The lines of all notes of a name, of all processes. */
export function notesOf(folder: string, name: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}-`))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line !== '');
}

/** An end as Redis has recorded it. */
export interface RecordedEnd {
  readonly user: string;
  readonly reason: string;
  readonly at: number;
  readonly dueAt: number;
}

/** Every end in the streams. */
export async function recordedEnds(server: RedisServer, shards = 16): Promise<RecordedEnd[]> {
  const ends: RecordedEnd[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const entries = (await server.command('XRANGE', `ss:{${shard}}:e`, '-', '+')) as [string, string[]][];
    for (const [, [, text]] of entries) {
      const [kind, , at, reason, dueAt, , , , , , , , user] = text!.split('|');
      if (kind === 'end') ends.push({ user: user!, reason: reason!, at: Number(at), dueAt: Number(dueAt) });
    }
  }
  return ends;
}
