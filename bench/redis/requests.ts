import { type Variant, VARIANT_NAMES } from '../support/application.js';
import { Child } from '../support/children.js';
import { CONNECTIONS, hold } from '../support/contest.js';
import { RedisServer } from '../support/redis-server.js';
import { type Report, rounded } from '../support/report.js';
import { VariantServer } from '../support/variant-server.js';

const SESSIONS = 50;
const REQUESTS_PER_SECOND = 1000;
const SECONDS = 10;
const ROUNDS = 60;
/** What clients send for these applications; what scripts do inside is counted under other names. */
const SENT = ['get', 'expire', 'evalsha', 'xack'];

/** Commands and time of a request that only reads, once everybody is known. */
export async function measureRequests(say: (line: string) => void): Promise<Omit<Report, 'title'>> {
  const rows: string[][] = [];
  const sent = new Map<Variant, number>();
  for (const variant of ['bare', 'shared'] as const) {
    say(`commands per request, ${VARIANT_NAMES[variant]}`);
    const counts = await commandsPerRequest(variant);
    const all = counts.reduce((sum, count) => sum + count, 0);
    sent.set(variant, all);
    rows.push([VARIANT_NAMES[variant], ...counts.map(rounded), rounded(all)]);
  }
  const { throughput, ...costs } = await withServers(['bare', 'unexpiring', 'shared'], (_redis, servers) =>
    hold(servers, SESSIONS, ROUNDS, (line) => say(`throughput: ${line}`)),
  );
  return {
    tables: [
      {
        caption: `connect-redis 9, \`resave: false\`, ${SESSIONS} sessions, GET requests at ${REQUESTS_PER_SECOND}/s, INFO commandstats; two looks a second are among them`,
        columns: ['the same Nest application', ...SENT, 'all'],
        rows,
      },
      costs,
    ],
    targets: [
      { what: 'commands per request in all', measured: sent.get('shared')!, unit: '', atMost: 1.05 },
      {
        what: 'throughput against express-session alone',
        measured: throughput('shared', 'bare'),
        unit: '×',
        atLeast: 1.05,
      },
    ],
  };
}

async function commandsPerRequest(variant: Variant): Promise<number[]> {
  return withServers([variant], async (redis, [server]) => {
    const requests = REQUESTS_PER_SECOND * SECONDS;
    const load = { connections: CONNECTIONS, requestsPerSecond: REQUESTS_PER_SECOND };
    const cookies = await server!.signIn(SESSIONS);
    await server!.load({ ...load, cookies, requests: REQUESTS_PER_SECOND });
    await redis.forgetCounts();
    await server!.load({ ...load, cookies, requests });
    const counts = await redis.commandCounts();
    return SENT.map((name) => (counts.get(name) ?? 0) / requests);
  });
}

async function withServers<Result>(
  variants: readonly Variant[],
  work: (redis: RedisServer, servers: readonly VariantServer[]) => Promise<Result>,
): Promise<Result> {
  const redis = await RedisServer.start();
  const clients = new Child('../support/clients.js', import.meta.url);
  const servers: VariantServer[] = [];
  try {
    for (const variant of variants) servers.push(await VariantServer.start(variant, clients, redis.socket));
    return await work(redis, servers);
  } finally {
    await clients.stop();
    for (const server of servers) await server.stop();
    await redis.stop();
  }
}
