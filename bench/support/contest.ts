import { type Variant, VARIANT_NAMES } from './application.js';
import { median, rounded } from './report.js';
import type { VariantServer } from './variant-server.js';

export const CONNECTIONS = 16;
const WARM_UP_REQUESTS = 15_000;
const BLOCK_REQUESTS = 500;

/** What requests have cost. */
type Cost = 'cpuMicroseconds' | 'requestsPerSecond';

/** One variant with what its blocks have cost. */
interface Contender extends Record<Cost, number[]> {
  readonly variant: Variant;
  readonly block: (requests: number) => Promise<void>;
}

/** What a request on a signed-in session costs in each variant. */
export interface Contest {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly string[][];
  /** How many times as many requests a variant answers in the same time as `against`. */
  readonly throughput: (variant: Variant, against: Variant) => number;
}

/**
 * Loads variants in turn, each in a process of its own, a block at a time and in changing order, so that whatever else
 * happens on the machine meets them all. Ratios are taken within a round and then their median, so slow changes of the
 * machine cancel out.
 */
export async function hold(
  servers: readonly VariantServer[],
  sessions: number,
  rounds: number,
  say: (line: string) => void,
): Promise<Contest> {
  const contenders: Contender[] = [];
  for (const server of servers) {
    say(`warming up: ${VARIANT_NAMES[server.variant]}`);
    const contender = contenderOf(server, await server.signIn(sessions));
    await contender.block(WARM_UP_REQUESTS);
    contender.cpuMicroseconds.length = contender.requestsPerSecond.length = 0;
    contenders.push(contender);
  }
  for (let round = 0; round < rounds; round++) {
    if (round % 20 === 0) say(`rounds ${round + 1} to ${Math.min(round + 20, rounds)} of ${rounds}`);
    for (let turn = 0; turn < contenders.length; turn++)
      await contenders[(round + turn) % contenders.length]!.block(BLOCK_REQUESTS);
  }
  const ratio = (of: Cost, contender: Contender, against: Contender): number =>
    median(contender[of].map((value, round) => value / against[of][round]!));
  const named = (variant: Variant): Contender =>
    contenders.find((contender) => contender.variant === variant)!;
  return {
    caption:
      `GET of a small JSON document, ${sessions} sessions, ${CONNECTIONS} connections, as fast as the answers come; ` +
      `medians of ${rounds} blocks of ${BLOCK_REQUESTS} requests`,
    columns: ['the same Nest application', 'CPU µs/request', 'ratio', 'requests/s', 'ratio'],
    rows: contenders.map((contender) => [
      VARIANT_NAMES[contender.variant],
      rounded(median(contender.cpuMicroseconds)),
      ratio('cpuMicroseconds', contender, contenders[0]!).toFixed(3),
      rounded(median(contender.requestsPerSecond)),
      ratio('requestsPerSecond', contender, contenders[0]!).toFixed(3),
    ]),
    throughput: (variant, against) => ratio('requestsPerSecond', named(variant), named(against)),
  };
}

function contenderOf(server: VariantServer, cookies: readonly string[]): Contender {
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
