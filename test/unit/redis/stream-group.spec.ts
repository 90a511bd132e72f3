import { expect, it } from '@jest/globals';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';

const SECRET = 'the secret of all processes, long enough';
const GROUP = 'mail';

it('V3 a process that closes works off what it is just being given, before others may take it', async () => {
  const clock = new VirtualClock();
  const redis = new RedisModel(1, () => clock.now());
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  let letGo: (() => void) | undefined;
  // The first that the group is given is on its way for some time.
  const sendCommand = async (command: string[]): Promise<unknown> => {
    await Promise.resolve();
    const answer: unknown = JSON.parse(JSON.stringify(redis.carryOut(command)));
    const isGiven = command.includes(GROUP) && Array.isArray(answer) && answer.length > 0;
    if (!isGiven || letGo) return answer;
    give();
    return new Promise((resolve) => (letGo = () => resolve(answer)));
  };
  const references = new SessionReferences(SECRET);
  const store = new RedisActivityStore({ client: { sendCommand }, shards: 1 });
  store.synchronize(clock);
  store.connect({ secret: SECRET, references, flushIntervalMs: 1000 });
  const handled: string[] = [];
  store.deliver(GROUP, async ({ signal }) => {
    await new Promise((resolve) => setImmediate(resolve));
    handled.push(signal.kind);
  });
  await store.open();
  const now = clock.now();
  const limits = { warnAfter: 5, expireAfter: 10, maxLifetime: null };
  const record = { id: references.ofSession('sid'), life: 1, startedAt: now, lastActivityAt: now, limits };
  await store.start(record, 'sid', false);
  await store.due(now, 10);
  await given;
  const closed = store.close().then(() => [...handled]);
  await new Promise((resolve) => setImmediate(resolve));
  letGo!();
  expect(await closed).toEqual(['start']);
});
