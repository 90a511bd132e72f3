import type { Limits } from '../../../lib/index.js';
import type { SessionStorage } from '../world/session-storage.js';

/** What the oracle reads of a record in the store. */
export interface StoredRecord {
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly limits: Limits;
  readonly writer: string;
  readonly userId?: string;
}

const PREFIX = 'session-security-';
const NEVER: Limits = { warnAfter: Infinity, expireAfter: Infinity, maxLifetime: null };

export function recordIn(storage: SessionStorage, reference: string): StoredRecord | undefined {
  const text = storage.read(PREFIX + reference);
  if (text === undefined) return undefined;
  const { sessionSecurity: record } = JSON.parse(text) as { sessionSecurity: StoredRecord };
  return { ...record, limits: record.limits ?? NEVER };
}

/** The references of all records, which stand there beside what is kept of users. */
export function recordsIn(storage: SessionStorage): string[] {
  return storage
    .keys()
    .filter((key) => key.startsWith(PREFIX) && !key.startsWith(`${PREFIX}user-`))
    .map((key) => key.slice(PREFIX.length));
}
