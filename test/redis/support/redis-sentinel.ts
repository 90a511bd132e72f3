import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { freePort, type RedisServer } from '../../support/redis-server.js';
import { eventually } from './member.js';

/** A real Sentinel that watches one server. */
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
    const program = execFileSync(process.execPath, ['scripts/provision.mjs', 'redis-server'], {
      encoding: 'utf8',
    }).trim();
    const running = spawn(program, [configuration, '--sentinel', '--dir', folder], { stdio: 'ignore' });
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

  async #knowsMaster(): Promise<boolean> {
    const socket = { host: '127.0.0.1', port: this.port, reconnectStrategy: false } as const;
    const client = createClient({ socket });
    client.on('error', () => undefined);
    try {
      await client.connect();
      // Refused for as long as it has not reached the server.
      await client.sendCommand(['SENTINEL', 'CKQUORUM', RedisSentinel.master]);
      return true;
    } catch {
      return false;
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
}
