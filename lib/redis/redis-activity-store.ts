import { randomUUID } from 'node:crypto';
import type { ActivityRecord, ActivityUpdate, EndMode, EndReason } from '../activity/activity-record.js';
import {
  CorruptRecordError,
  type DueRecord,
  forgiveCorrupt,
  type FoundSession,
} from '../activity/activity-store.js';
import type { Clock } from '../activity/clock.js';
import {
  type Expiry,
  type News,
  SharedActivityStore,
  type StoreSurroundings,
} from '../activity/shared-activity-store.js';
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
import { constantsOf, limitsText, storedRecord } from './stored-record.js';
import { newsOf, type StreamEntry } from './stream-entry.js';
import { StreamGroup } from './stream-group.js';
import { SynchronizedClock } from './synchronized-clock.js';

/** Twice a second, so that an end is recorded less than a second after it may be. */
const POLL_INTERVAL_MS = 500;
/** Sessions worked off by one script: at most 3 ms of Redis's time, in which nobody else is served. */
const WORK_BATCH = 80;
const TOUCH_BATCH = 200;
const NEWS_BATCH = 500;
/** Of so many looks that have heard something the last entries are remembered, of each shard. */
const SEEN_KEPT = 8;
/** A shard's clock is kept while somebody looks at it, and for an hour after. */
const CLOCK_LIFETIME_MS = 3600 * 1000;
/** As long as the tombstones in the processes' memories. */
const TOMBSTONE_SECONDS = 3600;
const TRIM_INTERVAL_MS = 60_000;
const FORGET_MEMBERS_MS = 24 * 3600 * 1000;
/** What fails of a shard is tried again within this time: a shard that has not failed for so long does not fail. */
const SOUND_AFTER_MS = 2000;

/** What lies under the key of a session that has ended: reason and instant, and with which record it goes on. */
const TOMBSTONE = /^([a-z]+)\/(\d+)(?:\/([\w-]+))?$/;

/** What the script `look` answers of a shard. */
type LookReply = [
  now: string,
  told: string[],
  entries: StreamEntry[],
  last: string,
  isMore: number,
  isHeld: number,
  failure?: [key: string, reason: string] | null,
];

/** How a shard has failed while others did not. */
interface ShardFailure {
  readonly message: string;
  /** When it failed last, by the process's own clock. */
  at: number;
}

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
  /** The last entries seen of each shard's stream, the latest first; missing before the first look. */
  readonly #seen = new Map<number, string[]>();
  #news: News[] = [];
  /** Entries that tell what looks of this process have settled, until they are read, shard and id. */
  readonly #settled = new Set<string>();
  /** Shards that had more to do than one look takes. */
  #backlog = new Set<number>();
  #opening?: Promise<void> | undefined;
  #trimmedAt: number | undefined;
  #clock!: SynchronizedClock;
  #sealed!: SealedSessionIds;
  #slackMs = 0;
  /** What looks cannot do in some shard. */
  readonly #failures = new Map<number, ShardFailure>();
  /** Whether one script may look at several shards. */
  #spans: boolean;

  /** @throws {TypeError} if an option cannot be used. */
  constructor(options: RedisActivityStoreOptions) {
    super();
    this.#settings = settingsOf(options);
    this.#port = withTimeLimit(portTo(this.#settings.client), this.#settings.commandTimeout * 1000);
    this.#spans = this.#port.spansSlots;
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
  }

  /** Looks at all shards, which also tells the time; opens what groups there are. */
  async open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async close(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.close()));
  }

  partOf(id: string): number {
    return this.#keys.shardOf(id);
  }

  failures(): ReadonlyMap<number, string> {
    return new Map([...this.#failures].map(([shard, { message }]) => [shard, message]));
  }

  async start(record: ActivityRecord, sessionId?: string, silent = false): Promise<void> {
    await this.#ready();
    const { id, lastActivityAt } = record;
    const constants = constantsOf(record, sessionId === undefined ? undefined : this.#sealed.seal(sessionId));
    const args = [Math.ceil(lastActivityAt), constants, this.#slackMs, silent ? 1 : 0];
    const [begun] = await this.#run('start', id, args);
    if (begun === 0) throw new StoreFailure('the session ended before Redis was told of its beginning');
  }

  async find(id: string): Promise<ActivityRecord | undefined> {
    return (await this.#read(id))?.record;
  }

  async touch(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const parts = this.#spans ? [updates] : [...this.#byShard(updates).values()];
    const batches = parts.flatMap((part) => chunks(part, TOUCH_BATCH));
    const gone = await Promise.all(batches.map((batch) => this.#touchTogether(batch)));
    return gone.flat();
  }

  async adjust({ id, limits, startedAt, lastActivityAt }: ActivityRecord): Promise<void> {
    const clocks = [Math.floor(startedAt), Math.ceil(lastActivityAt)];
    await this.#run('adjust', id, [limitsText(limits), this.#slackMs, ...clocks]);
  }

  async end(id: string, reason: EndReason, mode: EndMode = 'end'): Promise<ActivityRecord | undefined> {
    const [ended, successor] = (await this.#run('end', id, [reason, TOMBSTONE_SECONDS, mode])) as (
      string | null
    )[];
    return successor ? this.end(successor, reason) : storedRecord(id, ended ?? '')?.record;
  }

  async move(id: string, to = ''): Promise<string | undefined> {
    const [successor] = await this.#run('move', id, [TOMBSTONE_SECONDS, to]);
    return (successor as string | null) || undefined;
  }

  async expire(id: string): Promise<Expiry> {
    const [state, told, value] = (await this.#run('expire', id, [this.#slackMs, TOMBSTONE_SECONDS])) as [
      string,
      ...(string | null)[],
    ];
    if (state === 'held')
      throw new StoreFailure('Redis was away a moment ago; sessions are judged again shortly');
    const news = state === 'expire' ? newsOf(told!, this.#sealed) : undefined;
    const [due] = news ? this.#dueOf(news) : [];
    if (due) return { state: 'ended', reason: due.reason };
    const stored = storedRecord(id, value ?? '');
    return stored ? { state: 'alive', record: this.#withSlack(stored.record) } : { state: 'gone' };
  }

  async grave(id: string): Promise<{ reason: EndReason; at: number } | undefined> {
    const [, reason, at] = await this.#tombstone(id);
    return reason === undefined ? undefined : { reason: reason as EndReason, at: Number(at) };
  }

  async goesOn(id: string, since: number): Promise<boolean> {
    const [, , at, successor] = await this.#tombstone(id);
    if (successor === undefined || Number(at) < since) return false;
    return (await this.#readOnwards(successor)) !== undefined;
  }

  async ofUser(userId: string): Promise<FoundSession[]> {
    await this.#ready();
    const indexes = this.#together(this.#shards()).map((shards) =>
      this.#scripts.run(
        'of-user',
        shards.map((shard) => this.#keys.index(shard, userId)),
        [this.#keys.tagOf(userId)],
      ),
    );
    const ids = ((await Promise.all(indexes)) as string[][]).flat();
    // By record, because one that is given another id meanwhile may be found under both.
    const sessions = new Map<string, FoundSession>();
    for (const batch of chunks(ids, TOUCH_BATCH)) {
      const found = await Promise.all(batch.map((id) => this.#readOnwards(id).catch(forgiveCorrupt)));
      // The tag in the index may be shared by users.
      for (const session of found)
        if (session?.record.userId === userId) sessions.set(session.record.id, session);
    }
    return [...sessions.values()];
  }

  async due(_now: number, limit: number): Promise<{ due: DueRecord[]; more: boolean }> {
    await this.#ready();
    // Where there is much to do, answers of one shard are worked on here while Redis works on another.
    const isBehind = this.#backlog.size > 0;
    const shards = shuffled(isBehind ? [...this.#backlog] : this.#shards());
    this.#backlog = new Set();
    const groups = isBehind ? shards.map((shard) => [shard]) : this.#together(shards);
    const looks = await Promise.allSettled(
      groups.map((group) => this.#look(group, Math.min(limit, WORK_BATCH))),
    );
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
    try {
      await this.#lookFirst();
    } catch (error) {
      // One address for all servers of a Cluster.
      if (!this.#spans || !isError(error, 'CROSSSLOT')) throw error;
      this.#spans = false;
      await this.#lookFirst();
    }
  }

  /** Learns the time, and where the streams end now. */
  async #lookFirst(): Promise<void> {
    await Promise.all(this.#together(this.#shards()).map((shards) => this.#look(shards, 0)));
    this.#backlog.clear();
  }

  /** Instants mean nothing before Redis's clock is known, and groups are to miss nothing. */
  async #ready(): Promise<void> {
    if (!this.#clock.synchronized) await this.open();
  }

  async #read(id: string): Promise<FoundSession | undefined> {
    await this.#ready();
    let text: string | null;
    try {
      text = await this.#get(id);
    } catch (error) {
      if (isError(error, 'WRONGTYPE')) throw new CorruptRecordError(id);
      throw error;
    }
    if (text === null || TOMBSTONE.test(text)) return undefined;
    const stored = storedRecord(id, text);
    if (!stored) throw new CorruptRecordError(id);
    const { record, sealedId } = stored;
    const sessionId = sealedId === undefined ? undefined : this.#sealed.open(id, sealedId);
    return { record: this.#withSlack(record), ...(sessionId === undefined ? {} : { sessionId }) };
  }

  /** The session, under whichever id it goes on by now. */
  async #readOnwards(id: string): Promise<FoundSession | undefined> {
    const session = await this.#read(id);
    if (session) return session;
    const [, , , successor] = await this.#tombstone(id);
    return successor === undefined ? undefined : this.#readOnwards(successor);
  }

  /** The parts of {@link TOMBSTONE}; none if the session has not ended, or nothing is known of it. */
  async #tombstone(id: string): Promise<readonly (string | undefined)[]> {
    return TOMBSTONE.exec((await this.#get(id)) ?? '') ?? [];
  }

  async #get(id: string): Promise<string | null> {
    const key = this.#keys.session(id);
    return (await this.#port.send(key, ['GET', key])) as string | null;
  }

  /** One look at some shards, on one server: works off what is due, and hears what was told. */
  async #look(shards: readonly number[], limit: number): Promise<DueRecord[]> {
    const sent = this.#clock.local();
    const replies = (await this.#scripts.run(
      'look',
      shards.flatMap((shard) => this.#shardKeys(shard)),
      [
        ...[this.#slackMs, TOMBSTONE_SECONDS, limit, NEWS_BATCH, CLOCK_LIFETIME_MS],
        ...shards.map((shard) => this.#seen.get(shard)?.join() ?? ''),
      ],
    )) as LookReply[];
    const due: DueRecord[] = [];
    for (const [number, [now, told, entries, last, isMore, , failure]] of replies.entries()) {
      const shard = shards[number]!;
      this.#note(shard, failure);
      // Of a shard that has failed altogether nothing is known.
      if (now === '') continue;
      this.#clock.learn(shard, Number(now), sent, this.#clock.local());
      this.#remember(shard, last);
      if (isMore) this.#backlog.add(shard);
      for (const entryId of told) this.#settled.add(`${shard}/${entryId}`);
      for (const [entryId, [, text]] of entries) {
        const news = newsOf(text, this.#sealed);
        if (!news) continue;
        this.#news.push(news);
        if (this.#settled.size > 0 && this.#settled.delete(`${shard}/${entryId}`))
          due.push(...this.#dueOf(news));
      }
      if (entries.length > 0) for (const group of this.#groups) group.wake(shard);
    }
    return due;
  }

  /** What a shard's stream has been read to. Some before that too, because a failover may lose the latest entries. */
  #remember(shard: number, entryId: string): void {
    const seen = this.#seen.get(shard) ?? [];
    if (seen[0] === entryId) return;
    this.#seen.set(shard, [entryId, ...seen.slice(0, SEEN_KEPT - 1)]);
  }

  /** Notes how a look at a shard has failed, or that it has not. */
  #note(shard: number, failure: LookReply[6]): void {
    const at = this.#clock.local();
    const known = this.#failures.get(shard);
    if (!failure) {
      if (known && at - known.at >= SOUND_AFTER_MS) this.#failures.delete(shard);
    } else if (known) {
      known.at = at;
    } else {
      const [key, reason] = failure;
      const remedy = `if TYPE shows that it is not the store's own, remove it: DEL ${key}`;
      this.#failures.set(shard, { message: `Redis fails at the key ${key} (${reason}); ${remedy}`, at });
    }
  }

  /** The boundary that a session has passed, from what has been told of it. */
  #dueOf({ signal }: News): DueRecord[] {
    if (signal.kind !== 'warn' && signal.kind !== 'end') return [];
    const { record, dueAt } = signal;
    const reason = signal.reason as DueRecord['reason'];
    return [{ kind: signal.kind === 'warn' ? 'warn' : 'expire', reason, dueAt, record }];
  }

  async #touchTogether(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const byShard = this.#byShard(updates);
    const shards = [...byShard.keys()];
    const parts = [...byShard.values()];
    const sent = this.#clock.local();
    const [gone, ...times] = (await this.#scripts.run(
      'touch',
      shards.flatMap((shard) => this.#shardKeys(shard)),
      [
        this.#slackMs,
        ...parts.flatMap((part) => [
          part.length,
          ...part.flatMap(({ id, lastActivityAt, life = '' }) => [id, Math.ceil(lastActivityAt), life]),
        ]),
      ],
    )) as [number[], ...string[]];
    for (const [number, now] of times.entries())
      this.#clock.learn(shards[number]!, Number(now), sent, this.#clock.local());
    const ordered = parts.flat();
    return gone.map((number) => ordered[number]!.id);
  }

  #byShard(updates: readonly ActivityUpdate[]): Map<number, ActivityUpdate[]> {
    const byShard = new Map<number, ActivityUpdate[]>();
    for (const update of updates) {
      const shard = this.#keys.shardOf(update.id);
      const list = byShard.get(shard);
      if (list) list.push(update);
      else byShard.set(shard, [update]);
    }
    return byShard;
  }

  /** Runs a script of one session; answers what follows the time in its reply. */
  async #run(script: ScriptName, id: string, args: readonly (string | number)[]): Promise<unknown[]> {
    const shard = this.#keys.shardOf(id);
    const keys = [...this.#shardKeys(shard), this.#keys.session(id)];
    const sent = this.#clock.local();
    const [now, ...reply] = (await this.#scripts.run(script, keys, [id, ...args])) as [string, ...unknown[]];
    this.#clock.learn(shard, Number(now), sent, this.#clock.local());
    return reply;
  }

  /** Shards in groups that one script may look at. */
  #together(shards: number[]): number[][] {
    return this.#spans ? [shards] : shards.map((shard) => [shard]);
  }

  #shardKeys(shard: number): string[] {
    return [this.#keys.clock(shard), this.#keys.deadlines(shard), this.#keys.stream(shard)];
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
