import { randomUUID } from 'node:crypto';
import type { ActivityRecord, ActivityUpdate, EndMode, EndReason } from '../activity/activity-record.js';
import { CorruptRecordError, type DueRecord, type FoundSession } from '../activity/activity-store.js';
import type { Clock } from '../activity/clock.js';
import {
  type Expiry,
  type News,
  SharedActivityStore,
  type StoreSurroundings,
} from '../activity/shared-activity-store.js';
import type { TimeoutReason } from '../policy/index.js';
import {
  type RedisActivityStoreOptions,
  type RedisActivityStoreSettings,
  settingsOf,
} from './redis-activity-store.options.js';
import { RedisKeys } from './redis-keys.js';
import { portTo, type RedisPort, withTimeLimit } from './redis-port.js';
import { StoreFailure } from '../activity/store-calls.js';
import { isError, RedisScripts, type ScriptName } from './redis-scripts.js';
import { SealedSessionIds } from './sealed-session-id.js';
import { limitsText, newsOf, RECORD_FIELDS, recordOf, type StreamEntry } from './stream-entry.js';
import { StreamGroup } from './stream-group.js';
import { SynchronizedClock } from './synchronized-clock.js';

/** Twice a second, so that an end is recorded less than a second after it may be. */
const POLL_INTERVAL_MS = 500;
/** Sessions judged by one script: about 1.6 ms of Redis's time. */
const CLAIM_BATCH = 100;
const TOUCH_BATCH = 200;
const NEWS_BATCH = 500;
/** Without a look at a shard for so long, Redis or all processes stood still… */
const STANDSTILL_MS = 2500;
/** …and for so long nobody is ended for being idle, until all have written what they know. */
const HOLD_MS = 2000;
/** A shard's clock is kept while somebody looks at it, and for an hour after. */
const CLOCK_LIFETIME_MS = 3600 * 1000;
/** As long as the tombstones in the processes' memories. */
const TOMBSTONE_SECONDS = 3600;
const TRIM_INTERVAL_MS = 60_000;
const FORGET_MEMBERS_MS = 24 * 3600 * 1000;

type RecordReply = (string | null)[];
type ClaimReply = [
  state: string,
  dueAt?: string | null,
  reason?: TimeoutReason | null,
  ...record: RecordReply,
];

/**
 * Keeps activity records in Redis, one truth for any number of processes. Redis 6.2 or later; a single server, Sentinel
 * or Cluster. It uses scripts, sorted sets and streams; no keyspace notifications, no `CONFIG`, no Pub/Sub.
 *
 * ```ts
 * SessionSecurityModule.forRoot({ store: new RedisActivityStore({ client }), secret: process.env.SESSION_SECRET })
 * ```
 *
 * @publicApi
 */
export class RedisActivityStore extends SharedActivityStore {
  readonly pollIntervalMs = POLL_INTERVAL_MS;
  readonly #settings: RedisActivityStoreSettings;
  readonly #port: RedisPort;
  readonly #scripts: RedisScripts;
  readonly #keys: RedisKeys;
  readonly #consumer = randomUUID();
  readonly #groups: StreamGroup[] = [];
  /** The last entry seen of each shard's stream; missing before the first look. */
  readonly #cursors = new Map<number, string>();
  #news: News[] = [];
  /** Shards that had more to do than one look takes. */
  #backlog = new Set<number>();
  /** Ended sessions that leave their users' indexes, by shard, those of one turn of the event loop together. */
  readonly #leaving = new Map<number, { keys: string[]; args: string[]; done: Promise<void> }>();
  #opening?: Promise<void> | undefined;
  #trimmedAt: number | undefined;
  #clock!: SynchronizedClock;
  #sealed!: SealedSessionIds;
  #slackMs = 0;

  /** @throws {TypeError} if an option cannot be used. */
  constructor(options: RedisActivityStoreOptions) {
    super();
    this.#settings = settingsOf(options);
    this.#port = withTimeLimit(portTo(this.#settings.client), this.#settings.commandTimeout * 1000);
    this.#scripts = new RedisScripts(this.#port);
    this.#keys = new RedisKeys(this.#settings.prefix, this.#settings.shards);
  }

  synchronize(clock: Clock): Clock {
    this.#clock = new SynchronizedClock(clock);
    return this.#clock;
  }

  connect({ secret, references, flushIntervalMs }: StoreSurroundings): void {
    this.#sealed = new SealedSessionIds(secret, references);
    this.#slackMs = flushIntervalMs;
    this.#group('session-security:index', (news) => this.#unindex(news), ['end', 'moved']);
  }

  /** Looks at all shards, which also tells the time; opens what groups there are. */
  async open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async close(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.close()));
  }

  async start(record: ActivityRecord, sessionId?: string, silent = false): Promise<void> {
    await this.#ready();
    const { id, life, userId, device } = record;
    // The index first: a session that no index names could not be found by its user.
    if (userId !== undefined) {
      const index = this.#keys.user(userId);
      await this.#port.send(index, ['HSET', index, id, String(life)]);
    }
    const further = {
      u: userId,
      g: device,
      k: sessionId === undefined ? undefined : this.#sealed.seal(sessionId),
    };
    await this.#run(
      'start',
      id,
      ['deadlines', 'stream', 'record'],
      [
        id,
        Math.floor(record.startedAt),
        Math.ceil(record.lastActivityAt),
        limitsText(record.limits),
        life,
        this.#slackMs,
        silent ? 1 : 0,
        ...Object.entries(further).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
      ],
    );
  }

  async find(id: string): Promise<ActivityRecord | undefined> {
    return (await this.#read(id))?.record;
  }

  async touch(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const byShard = new Map<number, ActivityUpdate[]>();
    for (const update of updates) {
      const shard = this.#keys.shardOf(update.id);
      const list = byShard.get(shard);
      if (list) list.push(update);
      else byShard.set(shard, [update]);
    }
    const batches = [...byShard.values()].flatMap((list) => chunks(list, TOUCH_BATCH));
    const gone = await Promise.all(batches.map((batch) => this.#touchShard(batch)));
    return gone.flat();
  }

  async adjust({ id, limits, startedAt, lastActivityAt }: ActivityRecord): Promise<void> {
    await this.#run(
      'adjust',
      id,
      ['deadlines', 'record'],
      [id, limitsText(limits), this.#slackMs, Math.floor(startedAt), Math.ceil(lastActivityAt)],
    );
  }

  async end(id: string, reason: EndReason, mode: EndMode = 'end'): Promise<ActivityRecord | undefined> {
    const ended = await this.#run(
      'end',
      id,
      ['deadlines', 'stream', 'record', 'tombstone'],
      [id, reason, TOMBSTONE_SECONDS, mode],
    );
    return ended ? recordOf(id, ended as RecordReply) : undefined;
  }

  async expire(id: string): Promise<Expiry> {
    const [reply] = await this.#claim(this.#keys.shardOf(id), [id]);
    const [state, , reason, ...fields] = reply!;
    if (state === 'expire') return { state: 'ended', reason: reason! };
    if (state === 'held')
      throw new StoreFailure('Redis was away a moment ago; sessions are judged again shortly');
    const record = recordOf(id, fields);
    return record ? { state: 'alive', record: this.#withSlack(record) } : { state: 'gone' };
  }

  async grave(id: string): Promise<{ reason: EndReason; at: number } | undefined> {
    const key = this.#keys.tombstone(id);
    const text = (await this.#port.send(key, ['GET', key])) as string | null;
    const [, reason, at] = /^(\w+)\/(\d+)$/.exec(text ?? '') ?? [];
    return reason === undefined ? undefined : { reason: reason as EndReason, at: Number(at) };
  }

  async ofUser(userId: string): Promise<FoundSession[]> {
    const index = this.#keys.user(userId);
    const ids = (await this.#port.send(index, ['HKEYS', index])) as string[];
    const sessions: FoundSession[] = [];
    for (const batch of chunks(ids, TOUCH_BATCH)) {
      const found = await Promise.all(batch.map((id) => this.#read(id).catch(forgiveCorrupt)));
      // The hash that names the index may be shared by users.
      sessions.push(
        ...found.filter((session) => session?.record.userId === userId).map((session) => session!),
      );
    }
    return sessions;
  }

  async due(_now: number, limit: number): Promise<{ due: DueRecord[]; more: boolean }> {
    await this.#ready();
    const shards = shuffled(this.#backlog.size > 0 ? [...this.#backlog] : this.#shards());
    this.#backlog = new Set();
    const looks = await Promise.allSettled(shards.map((shard) => this.#look(shard, limit)));
    for (const group of this.#groups) group.tick();
    this.#trim();
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed) throw failed.reason;
    const due = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []));
    return { due, more: this.#backlog.size > 0 };
  }

  takeNews(): News[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  deliver(
    group: string,
    handler: (news: News) => Promise<void>,
    kinds?: readonly News['signal']['kind'][],
  ): void {
    const member = this.#group(group, handler, kinds);
    // What fails now is tried again with the next look.
    if (this.#clock.synchronized) void member.open().catch(() => undefined);
  }

  #group(
    name: string,
    handler: (news: News) => Promise<void>,
    kinds?: readonly News['signal']['kind'][],
  ): StreamGroup {
    const group = new StreamGroup(name, handler, kinds, {
      port: this.#port,
      scripts: this.#scripts,
      keys: this.#keys,
      sealed: this.#sealed,
      consumer: this.#consumer,
      takeOverAfterMs: this.#settings.takeOverAfter * 1000,
      maxDeliveries: this.#settings.maxDeliveries,
      now: () => this.#clock.local(),
    });
    this.#groups.push(group);
    return group;
  }

  async #open(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.open()));
    await Promise.all(this.#shards().map((shard) => this.#poll(shard, 0)));
  }

  /** Instants mean nothing before Redis's clock is known, and groups are to miss nothing. */
  async #ready(): Promise<void> {
    if (!this.#clock.synchronized) await this.open();
  }

  async #read(id: string): Promise<FoundSession | undefined> {
    await this.#ready();
    const key = this.#keys.record(id);
    let fields: (string | null)[];
    try {
      fields = (await this.#port.send(key, ['HMGET', key, 'k', ...RECORD_FIELDS])) as (string | null)[];
    } catch (error) {
      if (isError(error, 'WRONGTYPE')) throw new CorruptRecordError(id);
      throw error;
    }
    if (fields.every((field) => field === null)) return undefined;
    const [sealed, ...parts] = fields;
    const record = recordOf(id, parts);
    if (!record) throw new CorruptRecordError(id);
    const sessionId = sealed == null ? undefined : this.#sealed.open(id, sealed);
    return { record: this.#withSlack(record), ...(sessionId === undefined ? {} : { sessionId }) };
  }

  /** One look at a shard: hears what was told there, and works off what is due. */
  async #look(shard: number, limit: number): Promise<DueRecord[]> {
    const { ids, heard, complete } = await this.#poll(shard, Math.min(limit, CLAIM_BATCH));
    if (heard > 0) for (const group of this.#groups) group.wake(shard);
    if (!complete) this.#backlog.add(shard);
    if (ids.length === 0) return [];
    const replies = await this.#claim(shard, ids);
    if (ids.length === CLAIM_BATCH && replies.some(([state]) => state !== 'held')) this.#backlog.add(shard);
    return replies.flatMap(([kind, dueAt, reason, ...fields], number): DueRecord[] => {
      if (kind !== 'warn' && kind !== 'expire') return [];
      return [{ kind, reason: reason!, dueAt: Number(dueAt), record: recordOf(ids[number]!, fields)! }];
    });
  }

  async #poll(shard: number, limit: number): Promise<{ ids: string[]; heard: number; complete: boolean }> {
    const reply = await this.#timed(
      'poll',
      shard,
      [this.#keys.deadlines(shard), this.#keys.stream(shard)],
      [limit, this.#cursors.get(shard) ?? '', NEWS_BATCH, STANDSTILL_MS, HOLD_MS, CLOCK_LIFETIME_MS],
    );
    const [ids, entries, cursor] = reply as [string[], StreamEntry[], string];
    this.#cursors.set(shard, cursor);
    for (const entry of entries) {
      const news = newsOf(entry, this.#sealed);
      if (news) this.#news.push(news);
    }
    return { ids, heard: entries.length, complete: entries.length < NEWS_BATCH };
  }

  async #claim(shard: number, ids: readonly string[]): Promise<ClaimReply[]> {
    const keys = [this.#keys.deadlines(shard), this.#keys.stream(shard)];
    const [replies] = await this.#timed(
      'claim',
      shard,
      [...keys, ...ids.flatMap((id) => [this.#keys.record(id), this.#keys.tombstone(id)])],
      [this.#slackMs, TOMBSTONE_SECONDS, ...ids],
    );
    return replies as ClaimReply[];
  }

  async #touchShard(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const shard = this.#keys.shardOf(updates[0]!.id);
    const [gone] = await this.#timed(
      'touch',
      shard,
      [
        this.#keys.deadlines(shard),
        this.#keys.stream(shard),
        ...updates.map(({ id }) => this.#keys.record(id)),
      ],
      [this.#slackMs, ...updates.flatMap(({ id, lastActivityAt }) => [id, Math.ceil(lastActivityAt)])],
    );
    return (gone as number[]).map((number) => updates[number]!.id);
  }

  async #unindex({ signal }: News): Promise<void> {
    const { id, userId, life } = signal.record;
    if (userId === undefined) return;
    const shard = this.#keys.userShard(userId);
    let leaving = this.#leaving.get(shard);
    if (!leaving) {
      const batch = { keys: [] as string[], args: [] as string[] };
      const done = new Promise((resolve) => setImmediate(resolve)).then(async () => {
        this.#leaving.delete(shard);
        await this.#scripts.run('unindex', batch.keys, batch.args);
      });
      leaving = { ...batch, done };
      this.#leaving.set(shard, leaving);
    }
    leaving.keys.push(this.#keys.user(userId));
    leaving.args.push(id, String(life));
    await leaving.done;
  }

  /** Runs a script of one session; answers what follows the time in its reply. */
  async #run(
    script: ScriptName,
    id: string,
    kinds: readonly ('deadlines' | 'stream' | 'record' | 'tombstone')[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const shard = this.#keys.shardOf(id);
    const names = {
      deadlines: this.#keys.deadlines(shard),
      stream: this.#keys.stream(shard),
      record: this.#keys.record(id),
      tombstone: this.#keys.tombstone(id),
    };
    const [reply] = await this.#timed(
      script,
      shard,
      kinds.map((kind) => names[kind]),
      args,
    );
    return reply;
  }

  /** Runs a script that has the shard's clock first in its keys and Redis's time first in its reply. */
  async #timed(
    script: ScriptName,
    shard: number,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown[]> {
    const sent = this.#clock.local();
    const reply = await this.#scripts.run(script, [this.#keys.clock(shard), ...keys], args);
    const [now, ...rest] = reply as [string, ...unknown[]];
    this.#clock.learn(shard, Number(now), sent, this.#clock.local());
    return rest;
  }

  /** The process that wrote last may have died with a flush interval of activity that nobody knows of. */
  #withSlack(record: ActivityRecord): ActivityRecord {
    const allowanceMs = Math.min(this.#slackMs, this.#clock.now() - record.lastActivityAt);
    if (allowanceMs <= 0) return record;
    return { ...record, lastActivityAt: record.lastActivityAt + allowanceMs, allowanceMs };
  }

  /** Cuts old entries off the streams, once a minute, in passing. */
  #trim(): void {
    const now = this.#clock.local();
    this.#trimmedAt ??= now;
    if (now - this.#trimmedAt < TRIM_INTERVAL_MS) return;
    this.#trimmedAt = now;
    for (const shard of this.#shards()) {
      const keys = [this.#keys.clock(shard), this.#keys.stream(shard)];
      // What fails now is done a minute later.
      void this.#scripts
        .run('trim', keys, [this.#settings.retention * 1000, FORGET_MEMBERS_MS])
        .catch(() => undefined);
    }
  }

  #shards(): number[] {
    return Array.from({ length: this.#settings.shards }, (_, shard) => shard);
  }
}

function forgiveCorrupt(error: unknown): undefined {
  if (!(error instanceof CorruptRecordError)) throw error;
  return undefined;
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, number) =>
    items.slice(number * size, (number + 1) * size),
  );
}

/** Processes that look at the shards in different orders get in each other's way less. */
function shuffled<Item>(items: Item[]): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
