import { createClient } from 'redis';

/** A look at one shard, as many as there are while much is due: clock, deadlines and stream. */
const KEYS_OF_ONE_SHARD = '3';

export type Client = ReturnType<typeof clientAt>;

export function clientAt(socket: string) {
  return createClient({ socket: { path: socket, tls: false } });
}

/** How long each batch has held Redis up during the work, in milliseconds. */
export async function claimTimes(client: Client, work: () => Promise<void>): Promise<number[]> {
  await client.configSet('slowlog-log-slower-than', '0');
  await client.configSet('slowlog-max-len', '1000000');
  await client.sendCommand(['SLOWLOG', 'RESET']);
  await work();
  const log = (await client.sendCommand(['SLOWLOG', 'GET', '-1'])) as unknown as [
    id: unknown,
    at: unknown,
    microseconds: number,
    command: string[],
  ][];
  return log
    .filter(([, , , [name, , keys]]) => name === 'EVALSHA' && keys === KEYS_OF_ONE_SHARD)
    .map(([, , microseconds]) => microseconds / 1000);
}
