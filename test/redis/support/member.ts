import { SteadyClock } from '../../../lib/activity/clock.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import type { ActivityRecord } from '../../../lib/activity/activity-record.js';
import type { News } from '../../../lib/activity/shared-activity-store.js';
import {
  RedisActivityStore,
  type RedisActivityStoreOptions,
  type RedisClient,
} from '../../../lib/redis/index.js';
import type { SynchronizedClock } from '../../../lib/redis/synchronized-clock.js';

export const SECRET = 'a secret of the tests, long enough';
export const references = new SessionReferences(SECRET);

class PushableClock extends SteadyClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}

/** One process's store, without a process around it. */
export class Member {
  readonly heard: News[] = [];
  readonly #base: PushableClock;

  private constructor(
    readonly store: RedisActivityStore,
    readonly clock: SynchronizedClock,
    base: PushableClock,
  ) {
    this.#base = base;
  }

  static async join(
    client: RedisClient,
    options: Partial<RedisActivityStoreOptions> & { flushIntervalMs?: number } = {},
  ): Promise<Member> {
    const { flushIntervalMs = 100, ...rest } = options;
    const store = new RedisActivityStore({ client, shards: 4, ...rest });
    const base = new PushableClock();
    const clock = store.synchronize(base) as SynchronizedClock;
    store.connect({ references, secret: SECRET, flushIntervalMs });
    await store.open();
    return new Member(store, clock, base);
  }

  /** Starts to watch a session with limits in seconds. */
  async start(
    sessionId: string,
    warnAfter: number,
    expireAfter: number,
    userId?: string,
  ): Promise<ActivityRecord> {
    const now = this.clock.now();
    const record: ActivityRecord = {
      id: references.ofSession(sessionId),
      life: Math.floor(now) % 2 ** 32,
      startedAt: now,
      lastActivityAt: now,
      limits: { warnAfter, expireAfter, maxLifetime: null },
      ...(userId === undefined ? {} : { userId }),
    };
    await this.store.start(record, sessionId);
    return record;
  }

  /** One look at everything; answers what was due. */
  async look() {
    const found = [];
    for (let more = true; more;) {
      const batch = await this.store.due(this.clock.now(), 500);
      found.push(...batch.due);
      more = batch.more;
    }
    this.heard.push(...this.store.takeNews());
    return found;
  }

  /** Lets a minute pass on the process's own clock, so that the next look also trims. */
  async trim(): Promise<void> {
    await this.store.due(this.clock.now(), 500);
    this.#base.ahead += 61_000;
    await this.store.due(this.clock.now(), 500);
  }

  kinds(id: string): string[] {
    return this.heard.filter(({ signal }) => signal.record.id === id).map(({ signal }) => signal.kind);
  }
}

/** Looks every few milliseconds until it is so; gives up after `seconds`. */
export async function eventually(holds: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`It was not so within ${seconds} s: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
