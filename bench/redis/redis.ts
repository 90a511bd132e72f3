import type { Report } from '../support/report.js';
import { measureRequests } from './requests.js';
import { measureStore } from './store.js';

/** What several processes cost with their records in Redis, and what they cost Redis. */
export async function measureRedis(say: (line: string) => void): Promise<Report> {
  const parts = [await measureRequests(say), await measureStore(say)];
  return {
    title: 'Redis',
    tables: parts.flatMap(({ tables }) => tables),
    targets: parts.flatMap(({ targets }) => targets),
  };
}
