import { channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { News } from '../activity/shared-activity-store.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisPort } from './redis-port.js';
import { isError, type RedisScripts } from './redis-scripts.js';
import type { SealedSessionIds } from './sealed-session-id.js';
import { kindOf, newsOf, type StreamEntry } from './stream-entry.js';

/** Entries that one process works on at a time, for one group. */
const IN_HAND = 256;
const BATCH = 100;
const FIRST_RETRY_MS = 1000;
/** Whatever went unnoticed is looked for this often. */
const SWEEP_MS = 5000;
const DEAD_LETTERS_KEPT = 10_000;

/** Published with `{ group, entry, error, deliveries, signal }` when an event is given up. */
const setAsideChannel = channel('nestjs-session-security:event-set-aside');

export interface StreamGroupSurroundings {
  readonly port: RedisPort;
  readonly scripts: RedisScripts;
  readonly keys: RedisKeys;
  readonly sealed: SealedSessionIds;
  /** This process's name among the members. */
  readonly consumer: string;
  readonly takeOverAfterMs: number;
  readonly maxDeliveries: number;
  /** Milliseconds of any steady clock. */
  readonly now: () => number;
}

/** An entry in this process's hands. */
interface Delivery {
  readonly shard: number;
  readonly entry: StreamEntry;
  readonly deliveries: number;
}

/**
 * This process's membership in one consumer group over the streams of all shards. Every entry goes to one member; it is
 * acknowledged when the handler's promise resolves, delivered again with growing pauses when it rejects or takes too
 * long, taken over by another member when the process dies, and set aside after the last try.
 *
 * It owns no timer: {@link wake} says that a stream has news, {@link tick} that time has passed.
 */
export class StreamGroup {
  readonly #logger = new Logger('SessionSecurity');
  readonly #running = new Set<Promise<void>>();
  /** The last delivery of each session, so that its events are handled one after the other. */
  readonly #order = new Map<string, Promise<void>>();
  readonly #retries = new Set<Delivery & { readonly at: number }>();
  readonly #inHand = new Set<string>();
  readonly #reading = new Set<number>();
  readonly #hungry = new Set<number>();
  #acknowledged = new Map<number, string[]>();
  #acknowledging?: Promise<void> | undefined;
  #opening?: Promise<void> | undefined;
  #opened = false;
  #closed = false;
  #sweptAt = -Infinity;

  constructor(
    readonly name: string,
    private readonly handler: (news: News) => Promise<void>,
    /** What the handler is for; all else is acknowledged unread. */
    private readonly kinds: readonly string[] | undefined,
    private readonly redis: StreamGroupSurroundings,
  ) {}

  /** Joins the group, founding it if need be: then it begins with what happens from now on. */
  async open(): Promise<void> {
    if (this.#opened) return;
    // In place of what is no stream there will be a new one, with nothing in it yet: who reads it founds the group.
    const forgive = (error: unknown): void => {
      if (!isError(error, 'WRONGTYPE')) throw error;
    };
    this.#opening ??= Promise.all(this.#shards().map((shard) => this.#found(shard, '$').catch(forgive)))
      .then(() => void (this.#opened = true))
      .finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  /** A shard's stream has news. */
  wake(shard: number): void {
    if (!this.#opened || this.#closed) return;
    if (this.#reading.has(shard) || this.#inHand.size >= IN_HAND) {
      this.#hungry.add(shard);
      return;
    }
    this.#reading.add(shard);
    this.#track(this.#read(shard).finally(() => this.#reading.delete(shard)));
  }

  /** Delivers again what is due for it; now and then looks for what others have left lying. */
  tick(): void {
    if (this.#closed) return;
    // What fails is tried again at the next tick.
    if (!this.#opened) return this.#track(this.open().catch(() => undefined));
    const now = this.redis.now();
    for (const retry of this.#retries) {
      if (retry.at > now || this.#inHand.size >= IN_HAND) continue;
      this.#retries.delete(retry);
      this.#track(this.#retry(retry, now));
    }
    if (now - this.#sweptAt < Math.min(SWEEP_MS, this.redis.takeOverAfterMs)) return;
    this.#sweptAt = now;
    for (const shard of this.#shards()) {
      this.wake(shard);
      this.#track(this.#reclaim(shard));
    }
  }

  /** Takes nothing new but what is being read already, waits for the handlers, acknowledges, and leaves the rest to others. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    while (this.#acknowledging) await this.#acknowledging;
    if (!this.#opened) return;
    await Promise.allSettled(
      this.#shards().map((shard) => this.#run('leave-group', shard, [this.redis.consumer])),
    );
  }

  async #read(shard: number): Promise<void> {
    try {
      while (!this.#closed && this.#inHand.size < IN_HAND) {
        this.#hungry.delete(shard);
        const count = Math.min(BATCH, IN_HAND - this.#inHand.size);
        const entries = (await this.#run('read-group', shard, [this.redis.consumer, count])) as StreamEntry[];
        for (const entry of entries) this.#take({ shard, entry, deliveries: 1 });
        if (entries.length < count && !this.#hungry.has(shard)) return;
      }
      this.#hungry.add(shard);
    } catch (error) {
      // Streams that a failover has lost come back empty, and with them nobody's membership.
      if (isError(error, 'NOGROUP')) await this.#found(shard, '0').catch(() => undefined);
      // Redis is away: the next sweep reads again.
    }
  }

  #take(delivery: Delivery): void {
    this.#inHand.add(keyOf(delivery));
    this.#track(this.#handle(delivery).finally(() => this.#letGo(delivery)));
  }

  #letGo(delivery: Delivery): void {
    this.#inHand.delete(keyOf(delivery));
    if (this.#inHand.size > IN_HAND / 2) return;
    for (const shard of this.#hungry) this.wake(shard);
  }

  async #handle(delivery: Delivery): Promise<void> {
    if (this.kinds && !this.kinds.includes(kindOf(delivery.entry))) return this.#acknowledge(delivery);
    const news = newsOf(delivery.entry[1][1], this.redis.sealed);
    // What cannot be read now will never be.
    if (!news) return this.#setAside(delivery, new Error('The event cannot be read'));
    const session = news.signal.record.id;
    const turn = (this.#order.get(session) ?? Promise.resolve()).then(() => this.#call(delivery, news));
    this.#order.set(session, turn);
    await turn;
    if (this.#order.get(session) === turn) this.#order.delete(session);
  }

  async #call(delivery: Delivery, news: News): Promise<void> {
    try {
      await this.#withinTime(this.handler(news));
      this.#acknowledge(delivery);
    } catch (error) {
      if (delivery.deliveries >= this.redis.maxDeliveries) return this.#setAside(delivery, error, news);
      const pause = Math.min(FIRST_RETRY_MS * 2 ** (delivery.deliveries - 1), this.redis.takeOverAfterMs / 2);
      this.#retries.add({ ...delivery, at: this.redis.now() + pause });
    }
  }

  async #withinTime(handling: Promise<void>): Promise<void> {
    const { takeOverAfterMs } = this.redis;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`not finished within ${takeOverAfterMs / 1000} s`)),
        takeOverAfterMs,
      );
    });
    await Promise.race([handling, tooLate]).finally(() => clearTimeout(timer));
  }

  async #retry({ shard, entry, ...delivery }: Delivery & { at: number }, now: number): Promise<void> {
    try {
      const deliveries = Number(await this.#run('retry', shard, [this.redis.consumer, entry[0]]));
      if (deliveries > 0) this.#take({ shard, entry, deliveries });
    } catch {
      this.#retries.add({ ...delivery, shard, entry, at: now + FIRST_RETRY_MS });
    }
  }

  async #reclaim(shard: number): Promise<void> {
    // Later than the own time limit, so that a handler is never overtaken while it is still waited for.
    const idle = Math.ceil(this.redis.takeOverAfterMs * 1.5);
    const taken = (await this.#run('reclaim', shard, [this.redis.consumer, idle, BATCH]).catch(() => [])) as [
      string,
      number,
      StreamEntry[1],
    ][];
    for (const [id, deliveries, fields] of taken) {
      const delivery: Delivery = { shard, entry: [id, fields], deliveries };
      // Whoever handled it last died of it, again and again.
      if (deliveries > this.redis.maxDeliveries) {
        this.#track(this.#setAside(delivery, new Error('the process died while handling it')));
      } else if (!this.#inHand.has(keyOf(delivery))) this.#take(delivery);
    }
  }

  async #setAside({ shard, entry: [id], deliveries }: Delivery, error: unknown, news?: News): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    const { keys, scripts } = this.redis;
    try {
      const streams = [keys.stream(shard), keys.deadLetters(shard)];
      const settled = await scripts.run('set-aside', streams, [
        this.name,
        id,
        why,
        deliveries,
        DEAD_LETTERS_KEPT,
      ]);
      if (settled !== 1) return;
    } catch {
      // Redis is away: it stays pending and is taken up again.
      return;
    }
    this.#logger.error(
      `${this.name} failed ${deliveries} times on a session's ${news?.signal.kind ?? 'unreadable'} event ${id}, which is ` +
        `set aside in ${keys.deadLetters(shard)}: ${why}`,
    );
    // Not the news as they are: those know the session's id.
    setAsideChannel.publish({ group: this.name, entry: id, error, deliveries, signal: news?.signal });
  }

  /** Acknowledgements of one turn of the event loop go together. */
  #acknowledge({ shard, entry: [id] }: Delivery): void {
    const ids = this.#acknowledged.get(shard);
    if (ids) ids.push(id);
    else this.#acknowledged.set(shard, [id]);
    this.#acknowledging ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
      this.#sendAcknowledgements(),
    );
  }

  async #sendAcknowledgements(): Promise<void> {
    const acknowledged = this.#acknowledged;
    this.#acknowledged = new Map();
    this.#acknowledging = undefined;
    const sent = Promise.allSettled(
      [...acknowledged].map(([shard, ids]) => {
        const stream = this.redis.keys.stream(shard);
        // Without acknowledgement it is delivered again, with the same id.
        return this.redis.port.send(stream, ['XACK', stream, this.name, ...ids]);
      }),
    ).then(() => undefined);
    this.#track(sent);
    await sent;
  }

  async #found(shard: number, from: '$' | '0'): Promise<void> {
    const stream = this.redis.keys.stream(shard);
    try {
      await this.redis.port.send(stream, ['XGROUP', 'CREATE', stream, this.name, from, 'MKSTREAM']);
    } catch (error) {
      if (!isError(error, 'BUSYGROUP')) throw error;
    }
  }

  #run(
    script: Parameters<RedisScripts['run']>[0],
    shard: number,
    args: (string | number)[],
  ): Promise<unknown> {
    return this.redis.scripts.run(script, [this.redis.keys.stream(shard)], [this.name, ...args]);
  }

  #track(work: Promise<void>): void {
    const running = work.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #shards(): number[] {
    return Array.from({ length: this.redis.keys.shards }, (_, shard) => shard);
  }
}

function keyOf({ shard, entry: [id] }: Delivery): string {
  return `${shard}/${id}`;
}
