import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import type { News } from '../../../lib/activity/shared-activity-store.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';

const SECRET = 'the secret of all processes, long enough';
const LIMITS = { warnAfter: 5, expireAfter: 10, maxLifetime: null };
const AN_HOUR_MS = 3_600_000;

describe('a stream of Redis that is not the one that a process has read', () => {
  let time: VirtualClock;
  let redis: RedisModel;
  let store: RedisActivityStore;
  let handled: string[];
  let news: News[];
  const references = new SessionReferences(SECRET);

  beforeEach(async () => {
    time = new VirtualClock();
    redis = new RedisModel(1, () => time.now());
    const send = (command: string[]): Promise<unknown> =>
      new Promise((resolve) => resolve(JSON.parse(JSON.stringify(redis.carryOut(command)))));
    store = new RedisActivityStore({ client: { sendCommand: send }, shards: 1 });
    store.synchronize(time);
    store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
    await store.open();
    [handled, news] = [[], []];
    time.every(store.pollIntervalMs, async () => {
      await store.due(time.now(), 100);
      news.push(...store.takeNews());
    });
    store.deliver('mail', (news) => Promise.resolve(void handled.push(said(news))), ['start']);
  });
  afterEach(() => store.close());

  const said = ({ signal }: News): string => `${signal.kind} ${signal.record.userId}`;
  const start = (userId: string): Promise<void> =>
    store.start({
      ...{ id: references.ofSession(userId), userId, life: time.now(), limits: LIMITS },
      ...{ startedAt: time.now(), lastActivityAt: time.now() },
    });
  /** What all looks of six seconds hear: longer than it takes a group to found itself again. */
  const heard = async (): Promise<string[]> => {
    await time.advance(6);
    return news
      .splice(0)
      .filter(({ signal }) => signal.kind === 'start')
      .map(said);
  };

  it.each([
    ['behind', -AN_HOUR_MS],
    ['ahead', AN_HOUR_MS],
    ['right', 0],
  ])('is read from its beginning, once: Redis comes back empty, its clock %s', async (_, offMs) => {
    await start('anna');
    expect(await heard()).toEqual(['start anna']);
    await time.advance(0.1);
    redis = new RedisModel(1, () => time.now() + offMs);
    await start('ben');
    await start('cleo');
    expect(await heard()).toEqual(['start ben', 'start cleo']);
    await start('dora');
    expect(await heard()).toEqual(['start dora']);
    expect(handled).toEqual(['start anna', 'start ben', 'start cleo', 'start dora']);
  });

  it('is read on from what it has in common with that one, where a failover has lost its end', async () => {
    await start('anna');
    await heard();
    await start('ben');
    await heard();
    redis.shards[0]!.stream.entries.pop();
    await start('cleo');
    expect(await heard()).toEqual(['start cleo']);
  });
});
