import { type Variant, VARIANT_NAMES } from '../support/application.js';
import { Child } from '../support/children.js';
import { RedisServer } from '../support/redis-server.js';
import { median, type Report, rounded } from '../support/report.js';
import { VariantServer } from '../support/variant-server.js';

const SESSIONS = 50;
const CONNECTIONS = 16;
const REQUESTS_PER_SECOND = 1000;
const SECONDS = 10;
const WARM_UP_REQUESTS = 10_000;
const ROUNDS = 60;
const REQUESTS_PER_BLOCK = 500;
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
  const { perRequest, throughput, processor } = await comparedCosts((line) => say(`throughput: ${line}`));
  return {
    tables: [
      {
        caption: `connect-redis 9, \`resave: false\`, ${SESSIONS} sessions, GET requests at ${REQUESTS_PER_SECOND}/s, INFO commandstats; two looks a second are among them`,
        columns: ['the same Nest application', ...SENT, 'all'],
        rows,
      },
      {
        caption: `as fast as the answers come, ${CONNECTIONS} connections, in ${ROUNDS} turns of ${REQUESTS_PER_BLOCK} requests; medians`,
        columns: ['the same Nest application', "server's CPU µs per request", 'ratio', 'requests/s', 'ratio'],
        rows: perRequest.map(({ cpuMicroseconds, requestsPerSecond }, index) => [
          VARIANT_NAMES[index === 0 ? 'bare' : 'shared'],
          rounded(cpuMicroseconds),
          (index === 0 ? 1 : processor).toFixed(3),
          rounded(requestsPerSecond),
          (index === 0 ? 1 : throughput).toFixed(3),
        ]),
      },
    ],
    targets: [
      { what: 'commands per request in all', measured: sent.get('shared')!, unit: '', atMost: 1.05 },
      { what: 'throughput against express-session alone', measured: throughput, unit: '×', atLeast: 1.05 },
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

/** What the blocks of one variant have cost, block by block. */
interface Cost {
  readonly milliseconds: number[];
  readonly cpuMilliseconds: number[];
}

/**
 * Blocks that take turns, in changing order, so that whatever else happens on the machine meets both. Ratios are taken within
 * a round and then their median.
 */
async function comparedCosts(say: (line: string) => void): Promise<Comparison> {
  return withServers(['bare', 'shared'], async (_redis, servers) => {
    const costs = servers.map((): Cost => ({ milliseconds: [], cpuMilliseconds: [] }));
    const cookies: string[][] = [];
    for (const server of servers) cookies.push(await server.signIn(SESSIONS));
    const block = (index: number, requests: number) =>
      servers[index]!.load({ cookies: cookies[index]!, connections: CONNECTIONS, requests });
    for (const index of servers.keys()) await block(index, WARM_UP_REQUESTS);
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 20 === 0) say(`rounds ${round + 1} to ${round + 20} of ${ROUNDS}`);
      for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { milliseconds, cpuMilliseconds } = await block(index, REQUESTS_PER_BLOCK);
        costs[index]!.milliseconds.push(milliseconds);
        costs[index]!.cpuMilliseconds.push(cpuMilliseconds);
      }
    }
    const [bare, shared] = costs as [Cost, Cost];
    const ratio = (of: keyof Cost): number =>
      median(bare[of].map((value, round) => value / shared[of][round]!));
    return {
      perRequest: [bare, shared].map(({ milliseconds, cpuMilliseconds }) => ({
        cpuMicroseconds: (median(cpuMilliseconds) * 1000) / REQUESTS_PER_BLOCK,
        requestsPerSecond: (REQUESTS_PER_BLOCK * 1000) / median(milliseconds),
      })),
      throughput: ratio('milliseconds'),
      processor: 1 / ratio('cpuMilliseconds'),
    };
  });
}

interface Comparison {
  readonly perRequest: readonly { readonly cpuMicroseconds: number; readonly requestsPerSecond: number }[];
  /** How many times as many requests are answered in the same time as without the module… */
  readonly throughput: number;
  /** …and how many times as much of the server's processor time one takes. */
  readonly processor: number;
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
