import { type Variant } from '../support/application.js';
import { Child } from '../support/children.js';
import { hold } from '../support/contest.js';
import type { Report } from '../support/report.js';
import { VariantServer } from '../support/variant-server.js';

const VARIANTS: readonly Variant[] = ['bare', 'hand-written', 'empty', 'module'];
const SESSIONS = 100;
const ROUNDS = 120;

/** What a request on a signed-in session costs, with the sessions in a MemoryStore. */
export async function measureRequests(say: (line: string) => void): Promise<Report> {
  const clients = new Child('../support/clients.js', import.meta.url);
  const servers = await Promise.all(VARIANTS.map((variant) => VariantServer.start(variant, clients)));
  try {
    const { throughput, ...table } = await hold(servers, SESSIONS, ROUNDS, say);
    return {
      title: 'A request on a watched session',
      tables: [table],
      targets: [
        {
          what: 'throughput against express-session alone',
          measured: throughput('module', 'bare'),
          unit: '',
          atLeast: 0.97,
        },
        {
          what: 'throughput against a guard and an interceptor that do nothing',
          measured: throughput('module', 'empty'),
          unit: '',
          atLeast: 0.97,
        },
      ],
    };
  } finally {
    await Promise.all([clients, ...servers].map((process) => process.stop()));
  }
}
