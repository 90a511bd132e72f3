import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';

type Client = ReturnType<typeof clientAt>;

/** A Redis server of our own, reached by a socket in a folder of its own, that keeps nothing. */
export class RedisServer {
  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'session-security-bench-'));
    const socket = join(folder, 'redis.sock');
    const settings = [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ];
    const server = spawn(provided(), settings, { stdio: 'ignore' });
    await listening(socket);
    const client = clientAt(socket);
    await client.connect();
    return new RedisServer(socket, folder, server, client);
  }

  private constructor(
    readonly socket: string,
    private readonly folder: string,
    private readonly server: ChildProcess,
    private readonly client: Client,
  ) {}

  /** Forgets all data and all counts. */
  async reset(): Promise<void> {
    await this.client.flushAll();
    await this.forgetCounts();
  }

  async forgetCounts(): Promise<void> {
    await this.client.configResetStat();
  }

  /** What all data takes, in bytes. */
  async usedMemory(): Promise<number> {
    return Number(/^used_memory:(\d+)/m.exec(await this.client.info('memory'))![1]);
  }

  /** The processor time of the thread that carries commands out, in microseconds; others on the machine do not count. */
  async processorMicroseconds(): Promise<number> {
    const statistics = await this.client.info('cpu');
    const seconds = [...statistics.matchAll(/^used_cpu_(?:sys|user)_main_thread:([\d.]+)/gm)];
    return seconds.reduce((sum, [, value]) => sum + Number(value), 0) * 1e6;
  }

  /** How often each command was called, those of this class left out. */
  async commandCounts(): Promise<Map<string, number>> {
    const statistics = await this.client.info('commandstats');
    const counts = [...statistics.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
      ([, name, calls]): [string, number] => [name!, Number(calls)],
    );
    return new Map(counts.filter(([name]) => name !== 'info' && !name.startsWith('config')));
  }

  async stop(): Promise<void> {
    const ended = once(this.server, 'exit');
    this.client.destroy();
    this.server.kill();
    await ended;
    await rm(this.folder, { recursive: true });
  }
}

/** The program's path; it is found or installed as for the tests. */
function provided(): string {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/provision.mjs', 'redis-server'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error('There is no Redis server.');
  return stdout.trim();
}

function clientAt(socket: string) {
  return createClient({ socket: { path: socket, tls: false, reconnectStrategy: false } });
}

async function listening(socket: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = clientAt(socket);
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client.destroy();
    } catch {
      await pause(50);
    }
  }
  throw new Error('redis-server did not begin to listen.');
}
