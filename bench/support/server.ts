/**
 * One variant of the application in a process of its own, with its sessions in Redis if a socket is named, else in
 * memory. Tells its port, then its CPU time whenever asked.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { RedisActivityStore } from '../../lib/redis/index.js';
import { createApplication, type Variant } from './application.js';
import { answering } from './children.js';

const [variant, redisSocket] = process.argv.slice(2) as [Variant, string | undefined];
const client =
  redisSocket === undefined ? undefined : createClient({ socket: { path: redisSocket, tls: false } });
await client?.connect();
// With records in Redis, the session store's own writes for each request are not needed.
const data =
  client && new RedisStore({ client, disableTouch: variant === 'shared' || variant === 'unexpiring' });
const records = client && variant === 'shared' ? new RedisActivityStore({ client }) : undefined;
const application = await createApplication(variant, data, records);
const server = (await application.listen(0, '127.0.0.1')) as Server;
// Connections rest while other variants are measured; they must still be there afterwards.
server.keepAliveTimeout = 0;

answering(() => process.cpuUsage());
process.send!((server.address() as AddressInfo).port);
