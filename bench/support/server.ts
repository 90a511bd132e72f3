/**
 * One variant of the application in a process of its own, with its sessions in Redis if a socket is named, else in
 * memory. Tells its port, then its CPU time whenever asked.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { createApplication, type Variant } from './application.js';
import { answering } from './children.js';

const [variant, redisSocket] = process.argv.slice(2);
const application = await createApplication(variant as Variant, await sessionStore());
const server = (await application.listen(0, '127.0.0.1')) as Server;
// Connections rest while other variants are measured; they must still be there afterwards.
server.keepAliveTimeout = 0;

answering(() => process.cpuUsage());
process.send!((server.address() as AddressInfo).port);

async function sessionStore(): Promise<RedisStore | undefined> {
  if (redisSocket === undefined) return undefined;
  const client = createClient({ socket: { path: redisSocket, tls: false } });
  await client.connect();
  return new RedisStore({ client });
}
