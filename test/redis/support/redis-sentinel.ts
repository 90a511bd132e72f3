import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { freePort, type RedisServer } from '../../support/redis-server.js';
import { findProgram } from '../../support/setup/programs.mjs';
import { eventually } from './member.js';

/** A real Sentinel that watches one server, and its replicas if it has any. */
export class RedisSentinel {
  static readonly master = 'records';

  static async watch(server: RedisServer): Promise<RedisSentinel> {
    const [folder, port] = [mkdtempSync(join(tmpdir(), 'sentinel-')), await freePort()];
    // Sentinels write into their configuration.
    const configuration = join(folder, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${RedisSentinel.master} 127.0.0.1 ${server.port} 1`,
    ];
    writeFileSync(configuration, lines.join('\n'));
    const running = spawn(findProgram('redis-server'), [configuration, '--sentinel', '--dir', folder], {
      stdio: 'ignore',
    });
    const sentinel = new RedisSentinel(port, folder, running);
    await eventually(() => sentinel.#knowsMaster());
    return sentinel;
  }

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly running: ChildProcess,
  ) {}

  async stop(): Promise<void> {
    const exited = once(this.running, 'exit');
    this.running.kill('SIGKILL');
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Lets a replica take the place of the server, as soon as the Sentinel knows one that is good for it. */
  async failOver(): Promise<void> {
    await eventually(() => this.#accepts('FAILOVER'));
  }

  /** The port of the server that is the master now, as clients are told. */
  async masterPort(): Promise<number> {
    const address = await this.#command('GET-MASTER-ADDR-BY-NAME');
    return Number((address as [host: string, port: string])[1]);
  }

  /** Refused for as long as it has not reached the server. */
  #knowsMaster(): Promise<boolean> {
    return this.#accepts('CKQUORUM');
  }

  #accepts(command: string): Promise<boolean> {
    return this.#command(command).then(
      () => true,
      () => false,
    );
  }

  async #command(name: string): Promise<unknown> {
    const socket = { host: '127.0.0.1', port: this.port, reconnectStrategy: false } as const;
    const client = createClient({ socket, RESP: 2 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.sendCommand(['SENTINEL', name, RedisSentinel.master]);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
}
