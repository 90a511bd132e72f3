import { type Variant, VARIANT_NAMES, VARIANTS } from '../support/application.js';
import { Child } from '../support/children.js';
import { median, type Report, rounded } from '../support/report.js';
import { VariantServer } from '../support/variant-server.js';

const SESSIONS = 100;
const CONNECTIONS = 16;
const WARM_UP_REQUESTS = 15_000;
const BLOCK_REQUESTS = 500;
const ROUNDS = 120;

/** One variant with what its blocks have cost. */
interface Contender {
  readonly variant: Variant;
  readonly cpuMicroseconds: number[];
  readonly requestsPerSecond: number[];
  readonly block: (requests: number) => Promise<void>;
}

/**
 * What a request on a signed-in session costs in each variant. Each variant has a process of its own; they are
 * loaded in turn, a block at a time, in changing order, so that whatever else happens on the machine meets them all.
 * Ratios are taken within a round and then their median, so slow changes of the machine cancel out.
 */
export async function measureRequests(say: (line: string) => void): Promise<Report> {
  const clients = new Child('../support/clients.js', import.meta.url);
  const servers = await Promise.all(VARIANTS.map((variant) => VariantServer.start(variant, clients)));
  try {
    const contenders = await Promise.all(servers.map(contender));
    for (const { variant, block } of contenders) {
      say(`warming up: ${VARIANT_NAMES[variant]}`);
      await block(WARM_UP_REQUESTS);
    }
    for (const { cpuMicroseconds, requestsPerSecond } of contenders)
      cpuMicroseconds.length = requestsPerSecond.length = 0;
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 20 === 0) say(`rounds ${round + 1} to ${round + 20} of ${ROUNDS}`);
      for (let turn = 0; turn < contenders.length; turn++)
        await contenders[(round + turn) % contenders.length]!.block(BLOCK_REQUESTS);
    }
    return report(contenders);
  } finally {
    await Promise.all([clients, ...servers].map((process) => process.stop()));
  }
}

async function contender(server: VariantServer): Promise<Contender> {
  const cookies = await server.signIn(SESSIONS);
  const cpuMicroseconds: number[] = [];
  const requestsPerSecond: number[] = [];
  const block = async (requests: number): Promise<void> => {
    const { milliseconds, cpuMilliseconds } = await server.load({
      cookies,
      connections: CONNECTIONS,
      requests,
    });
    cpuMicroseconds.push((cpuMilliseconds / requests) * 1000);
    requestsPerSecond.push((requests / milliseconds) * 1000);
  };
  return { variant: server.variant, cpuMicroseconds, requestsPerSecond, block };
}

function report(contenders: readonly Contender[]): Report {
  const bare = contenders.find(({ variant }) => variant === 'bare')!;
  const ratio = (contender: Contender, of: 'cpuMicroseconds' | 'requestsPerSecond'): number =>
    median(contender[of].map((value, round) => value / bare[of][round]!));
  const rows = contenders.map((contender) => [
    VARIANT_NAMES[contender.variant],
    rounded(median(contender.cpuMicroseconds)),
    ratio(contender, 'cpuMicroseconds').toFixed(3),
    rounded(median(contender.requestsPerSecond)),
    ratio(contender, 'requestsPerSecond').toFixed(3),
  ]);
  const watched = contenders.find(({ variant }) => variant === 'module')!;
  const empty = contenders.find(({ variant }) => variant === 'empty')!;
  return {
    title: 'A request on a watched session',
    tables: [
      {
        caption:
          `GET of a small JSON document, ${SESSIONS} sessions in a MemoryStore, ${CONNECTIONS} connections, ` +
          `medians of ${ROUNDS} blocks of ${BLOCK_REQUESTS} requests`,
        columns: ['the same Nest application', 'CPU µs/request', 'ratio', 'requests/s', 'ratio'],
        rows,
      },
    ],
    targets: [
      {
        what: 'throughput against express-session alone',
        measured: ratio(watched, 'requestsPerSecond'),
        unit: '',
        atLeast: 0.97,
      },
      {
        what: 'throughput against a guard and an interceptor that do nothing',
        measured: ratio(watched, 'requestsPerSecond') / ratio(empty, 'requestsPerSecond'),
        unit: '',
        atLeast: 0.97,
      },
    ],
  };
}
