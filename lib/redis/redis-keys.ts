import { createHash } from 'node:crypto';

/**
 * The names of all keys. Everything of a session lies in one shard, whose number stands in braces, so that on a Cluster
 * the keys of one script always share a slot. The shard follows from the record's id.
 */
export class RedisKeys {
  constructor(
    private readonly prefix: string,
    /** How many shards there are; all processes must agree. */
    readonly shards: number,
  ) {}

  shardOf(id: string): number {
    return Buffer.from(id.slice(0, 6), 'base64url').readUInt32BE(0) % this.shards;
  }

  record(id: string): string {
    return this.#inShard(this.shardOf(id), `s:${id}`);
  }

  tombstone(id: string): string {
    return this.#inShard(this.shardOf(id), `t:${id}`);
  }

  clock(shard: number): string {
    return this.#inShard(shard, 'c');
  }

  deadlines(shard: number): string {
    return this.#inShard(shard, 'd');
  }

  stream(shard: number): string {
    return this.#inShard(shard, 'e');
  }

  deadLetters(shard: number): string {
    return this.#inShard(shard, 'x');
  }

  /** The ids of a user's sessions; users are named by a hash, which only has to be unlikely to be shared. */
  user(userId: string): string {
    const hash = createHash('sha256').update(userId).digest('base64url').slice(0, 11);
    return this.#inShard(this.userShard(userId), `u:${hash}`);
  }

  userShard(userId: string): number {
    return createHash('sha256').update(userId).digest().readUInt32BE(0) % this.shards;
  }

  #inShard(shard: number, name: string): string {
    return `${this.prefix}:{${shard}}:${name}`;
  }
}
