/** `npm run bench`, or some of it: `npm run bench -- requests sessions`; `npm run bench:redis -- million` for `redis` and `million`. */
import { cpus, totalmem } from 'node:os';
import { measureRequests } from './requests/requests.js';
import { measureMillion } from './redis/million.js';
import { measureRedis } from './redis/redis.js';
import { countStoreCommands } from './store-commands/store-commands.js';
import { measureSessions } from './sessions/sessions.js';
import { type Report, written } from './support/report.js';

type Benchmark = (say: (line: string) => void) => Promise<Report>;

const benchmarks: Record<string, Benchmark> = {
  requests: measureRequests,
  'store-commands': countStoreCommands,
  sessions: measureSessions,
  redis: measureRedis,
  million: measureMillion,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(1);
}

const reports: Report[] = [];
for (const name of wanted.length > 0 ? wanted : Object.keys(benchmarks)) {
  const startedAt = performance.now();
  const say = (line: string): void =>
    console.error(`[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(3)} s] ${name}: ${line}`);
  reports.push(await benchmarks[name]!(say));
}
const [processor] = cpus();
console.log(
  `\nNode ${process.version}, ${cpus().length} × ${processor?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
);
for (const report of reports) console.log(`\n${written(report)}`);
