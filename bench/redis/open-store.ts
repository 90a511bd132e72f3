import { SteadyClock } from '../../lib/activity/clock.js';
import { SessionReferences } from '../../lib/activity/session-reference.js';
import { RedisActivityStore } from '../../lib/redis/index.js';
import { clientAt } from './claims.js';

const SECRET = 'for the benchmark only, of all its processes';

/** A store of records, connected as the module does it. */
export async function openStore(socket: string) {
  const client = clientAt(socket);
  await client.connect();
  const references = new SessionReferences(SECRET);
  const store = new RedisActivityStore({ client, commandTimeout: 60 });
  const clock = store.synchronize(new SteadyClock());
  store.connect({ references, secret: SECRET, flushIntervalMs: 1000 });
  await store.open();
  return { client, references, store, clock };
}
