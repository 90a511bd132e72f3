import { StoreFailure } from '../activity/store-calls.js';

/** The part of a client that is used: of `redis` (node-redis 5 and 6; client, pool, cluster, sentinel) or `ioredis` (5 and 6). */
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoredisClient;

interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
}

interface NodeRedisCluster {
  readonly slots: unknown;
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

interface NodeRedisSentinel {
  getMasterNode?: unknown;
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
}

interface IoredisClient {
  readonly isCluster?: boolean;
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** All that is asked of a Redis client: to send one command to the server that holds a key. */
export interface RedisPort {
  /** Whether one command may name keys of several slots: not on a Cluster. */
  readonly spansSlots: boolean;
  /** Rejects with the server's error, or when the server cannot be reached. */
  send(key: string, command: readonly [string, ...string[]]): Promise<unknown>;
}

/**
 * Reaches Redis through the application's own client.
 *
 * @throws {TypeError} if it is no client that is known.
 */
export function portTo(client: RedisClient): RedisPort {
  // ioredis finds the key in the command by itself, on a cluster too.
  if (isIoredis(client)) {
    return {
      spansSlots: client.isCluster !== true,
      send: (_key, [name, ...args]) => client.call(name, ...args),
    };
  }
  if (typeof (client as Partial<NodeRedisClient> | null)?.sendCommand !== 'function') {
    throw new TypeError(
      'RedisActivityStore: client must be a client or cluster of the package "redis" (5 or 6) or "ioredis" (5 or 6)',
    );
  }
  if ('slots' in client) {
    return { spansSlots: false, send: (key, command) => client.sendCommand(key, false, [...command]) };
  }
  if ('getMasterNode' in client) {
    return { spansSlots: true, send: (_key, command) => client.sendCommand(false, [...command]) };
  }
  return { spansSlots: true, send: (_key, command) => (client as NodeRedisClient).sendCommand([...command]) };
}

function isIoredis(client: RedisClient | null): client is IoredisClient {
  return typeof (client as Partial<IoredisClient> | null)?.call === 'function';
}

/** The same port; every command is answered within `milliseconds`, or fails with a {@link StoreFailure}. */
export function withTimeLimit(port: RedisPort, milliseconds: number): RedisPort {
  return {
    spansSlots: port.spansSlots,
    send: (key, command) =>
      new Promise((resolve, reject) => {
        // It may still be carried out, so everything that is sent may be sent again.
        const giveUp = (): void => reject(new StoreFailure(`Redis did not answer within ${milliseconds} ms`));
        // After a standstill of this process timers come first, though the answer may have been there for long.
        const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), milliseconds);
        port
          .send(key, command)
          .then(resolve, (error: unknown) => reject(failureOf(error)))
          .finally(() => clearTimeout(timer));
      }),
  };
}

function failureOf(error: unknown): StoreFailure {
  const reason = error instanceof Error && error.message ? error.message : String(error);
  return new StoreFailure(`Redis failed: ${reason}`, error);
}
