import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { findProgram } from './setup/programs.mjs';

/** A port that was free may be somebody else's by the time that it is used, and so may the one of a Cluster's bus. */
const MOST_ATTEMPTS = 5;

/** A real Redis server of the tests' own: on a free port of this machine, with a directory that goes with it. */
export class RedisServer {
  #process?: ChildProcess;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly settings: readonly string[],
  ) {}

  /** @param settings further settings, as on the command line: `'--maxmemory', '10mb'` */
  static async start(...settings: string[]): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const folder = mkdtempSync(join(tmpdir(), 'redis-'));
      const server = new RedisServer(await freePort(), folder, settings);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        if (attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Sends one command over a connection of its own. */
  async command(...args: string[]): Promise<unknown> {
    const client = await createClient({ url: this.url, RESP: 2 }).connect();
    try {
      return await client.sendCommand(args);
    } finally {
      await client.close();
    }
  }

  /** Stands still, connections open, until {@link thaw}. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends in good order, so that what is stored is kept if so configured. */
  async shutDown(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Comes back on the same port, with what was stored. */
  async revive(): Promise<void> {
    await this.#launch();
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const settings = [
      ['--port', String(this.port)],
      ['--bind', '127.0.0.1'],
      ['--dir', this.folder],
      ['--save', ''],
      this.settings,
    ].flat();
    this.#process = spawn(findProgram('redis-server'), settings, { stdio: 'ignore' });
    const deadline = Date.now() + 10_000;
    while (!(await this.#answers())) {
      if (Date.now() > deadline || !this.#isRunning)
        throw new Error(`redis-server does not answer on port ${this.port}`);
      await pause(20);
    }
  }

  get #isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  async #answers(): Promise<boolean> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    try {
      await client.connect();
      if ((await client.ping()) !== 'PONG') return false;
      // And it is ours.
      return (await client.info('server')).includes(`process_id:${this.#process!.pid}\r\n`);
    } catch {
      return false;
    } finally {
      if (client.isOpen) client.destroy();
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.#isRunning) return;
    const running = this.#process!;
    const exited = once(running, 'exit');
    running.kill('SIGCONT');
    running.kill(signal);
    await exited;
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
