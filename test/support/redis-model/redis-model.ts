import { createHash } from 'node:crypto';
import type { EndMode, EndReason } from '../../../lib/activity/activity-record.js';
import { RedisKeys } from '../../../lib/redis/redis-keys.js';
import { RedisScripts, type ScriptName } from '../../../lib/redis/redis-scripts.js';
import { ShardModel } from './shard-model.js';
import { BEGINNING, type KeptEntry } from './stream-model.js';

type Script = (keys: readonly string[], args: readonly string[]) => unknown;

/** The size of a look of which so much is left for the next shards. */
interface LeftOver {
  sessions: number;
  entries: number;
}

/**
 * A Redis server as far as the store uses one: it is given the same commands and gives the same answers, in memory and
 * by any clock. `test/redis/model.spec.ts` holds it against the real one.
 */
export class RedisModel {
  readonly shards: readonly ShardModel[];
  readonly #keys: RedisKeys;
  readonly #loaded = new Set<ScriptName>();

  /** @param own what the server's clock shows */
  constructor(
    shards: number,
    private readonly own: () => number,
    private readonly prefix = 'ss',
  ) {
    this.#keys = new RedisKeys(prefix, shards);
    this.shards = Array.from({ length: shards }, () => new ShardModel(own));
  }

  /** As a restart does: what is stored is kept. */
  forgetScripts(): void {
    this.#loaded.clear();
  }

  shardOf(id: string): ShardModel {
    return this.shards[this.#keys.shardOf(id)]!;
  }

  /**
   * Carries out one command.
   *
   * @throws {Error} with the text of the error reply.
   */
  carryOut([name, ...args]: readonly string[]): unknown {
    switch (name) {
      case 'EVALSHA':
      case 'EVAL':
        return this.#evaluate(name, args);
      case 'GET':
        return this.#get(args[0]!);
      case 'XACK':
        return this.#shard(args[0]!).stream.acknowledge(args[1]!, args.slice(2));
      case 'XGROUP': {
        const [, key, group, from] = args;
        if (this.#shard(key!).stream.found(group!, from as '$' | '0')) return 'OK';
        throw new Error('BUSYGROUP Consumer Group name already exists');
      }
      default:
        throw new Error(`ERR unknown command '${name}'`);
    }
  }

  #evaluate(how: 'EVAL' | 'EVALSHA', [source, count, ...rest]: readonly string[]): unknown {
    const hash = how === 'EVALSHA' ? source! : createHash('sha1').update(source!).digest('hex');
    const name = namesByHash(Object.keys(this.#scripts) as ScriptName[]).get(hash);
    if (name === undefined) throw new Error('ERR the model knows no such script');
    if (how === 'EVALSHA' && !this.#loaded.has(name))
      throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    this.#loaded.add(name);
    return this.#scripts[name](rest.slice(0, Number(count)), rest.slice(Number(count)));
  }

  readonly #scripts: Readonly<Record<ScriptName, Script>> = {
    start: ([clock], [id, at, constants, slack, silent]) => {
      const shard = this.#shard(clock!);
      const begun = shard.start(id!, Number(at), constants!, Number(slack), silent === '1');
      return [String(shard.now()), begun ? 1 : 0];
    },
    touch: (keys, [slack, ...args]) => {
      const [gone, times]: [number[], string[]] = [[], []];
      let [position, number] = [0, 0];
      for (const shard of this.#shardsIn(keys)) {
        times.push(String(shard.now()));
        const count = Number(args[position]);
        for (let each = 0; each < count; each++, number++) {
          const [id, at, life] = args.slice(position + 1 + each * 3);
          if (!shard.touch(id!, Number(at), life!, Number(slack))) gone.push(number);
        }
        position += 1 + count * 3;
      }
      return [gone, ...times];
    },
    adjust: ([clock], [id, limits, slack, startedAt, lastActivityAt]) => {
      const shard = this.#shard(clock!);
      const done = shard.adjust(id!, limits!, Number(slack), Number(startedAt), Number(lastActivityAt));
      return [String(shard.now()), done ? 1 : 0];
    },
    end: ([clock], [id, reason, , mode]) => {
      const shard = this.#shard(clock!);
      return [String(shard.now()), ...shard.end(id!, reason as EndReason, mode as EndMode)];
    },
    move: ([clock], [id, , successor]) => {
      const shard = this.#shard(clock!);
      return [String(shard.now()), shard.move(id!, successor!)];
    },
    expire: ([clock], [id, slack]) => {
      const shard = this.#shard(clock!);
      const { state, told } = shard.settle(id!, Number(slack));
      return [String(shard.now()), state, told?.text ?? null, shard.textOf(id!)];
    },
    look: (keys, [slack, , sessions, entries, , ...seen]) => {
      const left = { sessions: Number(sessions), entries: Number(entries) };
      return this.#shardsIn(keys).map((shard, number) => {
        shard.see();
        return look(shard, seen[number]!, left, Number(slack));
      });
    },
    'of-user': (keys, [tag]) =>
      keys.flatMap((key) =>
        [...this.#shard(key).records].flatMap(([id, { userId }]) => {
          if (userId === undefined || this.#keys.tagOf(userId) !== tag) return [];
          return this.#keys.index(this.#keys.shardOf(id), userId) === key ? [id] : [];
        }),
      ),
    'read-group': ([stream], [group, consumer, count]) =>
      this.#group(stream!, group!).give(group!, consumer!, Number(count)).map(replied),
    reclaim: ([stream], [group, consumer, idle, count]) =>
      this.#group(stream!, group!).reclaim(group!, consumer!, Number(idle), Number(count)),
    retry: ([stream], [group, consumer, entryId]) =>
      this.#group(stream!, group!).retry(group!, consumer!, entryId!),
    // What is set aside is for people to read: nothing of the store looks at it.
    'set-aside': ([stream], [group, entryId]) => this.#group(stream!, group!).acknowledge(group!, [entryId!]),
    'leave-group': ([stream], [group, consumer]) => this.#shard(stream!).stream.leave(group!, consumer!),
    trim: ([clock], [age]) => {
      // Entries are numbered by the server's own clock.
      return this.#shard(clock!).stream.trim(this.own() - Number(age));
    },
  };

  #get(key: string): string | null {
    const [, id] = /:s:(.+)$/.exec(key)!;
    return this.#shard(key).textOf(id!);
  }

  #group(key: string, group: string): ShardModel['stream'] {
    const { stream } = this.#shard(key);
    if (!stream.has(group)) throw new Error(`NOGROUP No such key '${key}' or consumer group '${group}'`);
    return stream;
  }

  #shardsIn(keys: readonly string[]): ShardModel[] {
    return keys.filter((_, number) => number % 3 === 0).map((key) => this.#shard(key));
  }

  #shard(key: string): ShardModel {
    const [, number] = key.slice(this.prefix.length).match(/^:\{(\d+)\}/)!;
    return this.shards[Number(number)]!;
  }
}

function look(shard: ShardModel, given: string, left: LeftOver, slackMs: number): unknown[] {
  const seen = given === '' ? [shard.stream.last] : given.split(',');
  const { told, worked, isMore } =
    left.sessions > 0 ? shard.work(left.sessions, slackMs) : { told: [], worked: 0, isMore: true };
  left.sessions -= worked;
  const from = seen.find((entryId) => shard.stream.contains(entryId)) ?? BEGINNING;
  const entries = left.entries > 0 ? shard.stream.after(from, left.entries) : [];
  left.entries -= entries.length;
  const now = shard.now();
  return [
    String(now),
    told,
    entries.map(replied),
    entries.at(-1)?.entryId ?? seen[0],
    isMore || left.entries === 0 ? 1 : 0,
    shard.clock.hold > now ? 1 : 0,
  ];
}

function replied({ entryId, text }: KeptEntry): [string, ['e', string]] {
  return [entryId, ['e', text]];
}

let known: ReadonlyMap<string, ScriptName> | undefined;

/** The scripts by the hashes under which they are called. */
function namesByHash(names: readonly ScriptName[]): ReadonlyMap<string, ScriptName> {
  if (known) return known;
  const byHash = new Map<string, ScriptName>();
  for (const name of names) {
    const send = (_key: string, [, hash]: readonly string[]): Promise<void> =>
      Promise.resolve(void byHash.set(hash!, name));
    void new RedisScripts({ spansSlots: true, send }).run(name, ['any'], []);
  }
  return (known = byHash);
}
