import { setTimeout as pause } from 'node:timers/promises';
import { RedisServer } from '../../support/redis-server.js';

const SLOTS = 16_384;
const MASTERS = 3;

/** A real Cluster of three masters on this machine, put together by commands. */
export class RedisCluster {
  private constructor(
    readonly masters: readonly RedisServer[],
    /** A copy of the first master, if wanted. */
    readonly replica: RedisServer | undefined,
  ) {}

  static async start({ withReplica = false } = {}): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: MASTERS + (withReplica ? 1 : 0) }, () =>
        RedisServer.start('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'),
      ),
    );
    const cluster = new RedisCluster(servers.slice(0, MASTERS), servers[MASTERS]);
    await cluster.#join(servers);
    return cluster;
  }

  get urls(): string[] {
    return this.masters.map(({ url }) => url);
  }

  get ports(): number[] {
    return this.masters.map(({ port }) => port);
  }

  /** From now on the replica hears nothing of what its master does, until it is promoted. */
  async cutReplicaOff(): Promise<void> {
    this.replica!.freeze();
    // What is in the connection already would be read later.
    await this.masters[0]!.command('CLIENT', 'KILL', 'TYPE', 'replica');
  }

  /** The replica becomes master of its slots at once, as when the master is given up. */
  async promote(): Promise<void> {
    this.replica!.thaw();
    await this.replica!.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await until(async () => String(await this.replica!.command('ROLE')).startsWith('master'));
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.masters, ...(this.replica ? [this.replica] : [])].map((server) => server.stop()),
    );
  }

  async #join(servers: readonly RedisServer[]): Promise<void> {
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [number, master] of this.masters.entries()) {
      const last = Math.min((number + 1) * share, SLOTS) - 1;
      await master.command('CLUSTER', 'ADDSLOTSRANGE', String(number * share), String(last));
      // Else they may take each other's configuration for their own.
      await master.command('CLUSTER', 'SET-CONFIG-EPOCH', String(number + 1));
    }
    for (const server of servers.slice(1)) {
      await server.command('CLUSTER', 'MEET', '127.0.0.1', String(servers[0]!.port));
    }
    const known = async (server: RedisServer): Promise<number> =>
      String(await server.command('CLUSTER', 'NODES'))
        .trim()
        .split('\n').length;
    for (const server of servers) await until(async () => (await known(server)) === servers.length);
    if (this.replica) {
      const master = String(await this.masters[0]!.command('CLUSTER', 'MYID'));
      await this.replica.command('CLUSTER', 'REPLICATE', master);
      await until(async () =>
        String(await this.replica!.command('INFO', 'replication')).includes('master_link_status:up'),
      );
    }
    for (const server of servers) {
      await until(async () => String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('The Cluster did not come about within 30 s');
    await pause(50);
  }
}
