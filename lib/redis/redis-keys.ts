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

  session(id: string): string {
    return this.#inShard(this.shardOf(id), `s:${id}`);
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

  /** Where a shard keeps the ids of a user's sessions, among those of others; as the scripts find it. */
  index(shard: number, userId: string): string {
    return this.#inShard(shard, `u:${parseInt(hashOf(userId).slice(0, 3), 16) % 1024}`);
  }

  /** With what the fields of a user's sessions begin there. It only has to be unlikely to be shared. */
  tagOf(userId: string): string {
    return hashOf(userId).slice(3, 9);
  }

  #inShard(shard: number, name: string): string {
    return `${this.prefix}:{${shard}}:${name}`;
  }
}

function hashOf(userId: string): string {
  return createHash('sha1').update(userId).digest('hex');
}
