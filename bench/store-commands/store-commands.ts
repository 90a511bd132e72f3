import { type Variant, VARIANT_NAMES } from '../support/application.js';
import { Child } from '../support/children.js';
import { RedisServer } from '../support/redis-server.js';
import { type Report, rounded } from '../support/report.js';
import { VariantServer } from '../support/variant-server.js';

const REQUESTS_PER_SECOND = 1_000;
const CONNECTIONS = 16;
/** Two flushes of the default interval. */
const SECONDS = 24;
const COMMANDS = ['get', 'expire', 'set', 'del'];
/** With fewer sessions than this, each of them asks more than once between two flushes, so that its writes are shared. */
const TARGET_SESSIONS = 50;

interface Run {
  readonly variant: Variant;
  readonly sessions: number;
  readonly seconds: number;
}

const RUNS: readonly Run[] = [
  { variant: 'bare', sessions: 50, seconds: 5 },
  { variant: 'hand-written', sessions: 50, seconds: 5 },
  ...[10, TARGET_SESSIONS, 1_000].map((sessions): Run => ({ variant: 'module', sessions, seconds: SECONDS })),
];

/** Which commands connect-redis 9 sends for a request that only reads, counted by Redis itself. */
export async function countStoreCommands(say: (line: string) => void): Promise<Report> {
  const redis = await RedisServer.start();
  const clients = new Child('../support/clients.js', import.meta.url);
  try {
    const rows: string[][] = [];
    const added = new Map<number, number>();
    for (const run of RUNS) {
      say(`${VARIANT_NAMES[run.variant]}, ${run.sessions} sessions, ${run.seconds} s`);
      const perRequest = await count(run, redis, clients);
      const all = [...perRequest.values()].reduce((sum, value) => sum + value, 0);
      if (run.variant === 'module') added.set(run.sessions, all - 2);
      rows.push([
        VARIANT_NAMES[run.variant],
        String(run.sessions),
        ...COMMANDS.map((command) => rounded(perRequest.get(command) ?? 0)),
        rounded(all),
      ]);
    }
    return report(rows, added);
  } finally {
    await clients.stop();
    await redis.stop();
  }
}

/** Calls per request, by command. */
async function count(
  { variant, sessions, seconds }: Run,
  redis: RedisServer,
  clients: Child,
): Promise<Map<string, number>> {
  await redis.reset();
  const server = await VariantServer.start(variant, clients, redis.socket);
  try {
    const cookies = await server.signIn(sessions);
    await redis.forgetCounts();
    const requests = REQUESTS_PER_SECOND * seconds;
    await server.load({
      cookies,
      connections: CONNECTIONS,
      requests,
      requestsPerSecond: REQUESTS_PER_SECOND,
    });
    const counts = await redis.commandCounts();
    return new Map([...counts].map(([name, calls]) => [name, calls / requests]));
  } finally {
    await server.stop();
  }
}

function report(rows: string[][], added: Map<number, number>): Report {
  return {
    title: 'Store commands per request',
    tables: [
      {
        caption: `connect-redis 9, \`resave: false\`, GET requests at ${REQUESTS_PER_SECOND}/s, INFO commandstats`,
        columns: ['the same Nest application', 'sessions', ...COMMANDS, 'all'],
        rows,
      },
    ],
    targets: [
      {
        what: `commands added per request, amortised, ${TARGET_SESSIONS} sessions`,
        measured: added.get(TARGET_SESSIONS)!,
        unit: '',
        atMost: 0.01,
      },
    ],
  };
}
