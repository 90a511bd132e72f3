import type { ActivityRecord } from '../activity/activity-record.js';
import { isExempt, limitProblems, type Limits, NEVER } from '../policy/index.js';

/** A record as it lies in Redis, with the session's own id, sealed. */
export interface StoredRecord {
  readonly record: ActivityRecord;
  readonly sealedId?: string;
}

/** What of a record never changes, from its first bar on, in the form that stands in `scripts/prelude.lua`. */
export function constantsOf(
  { startedAt, limits, life, device = '', userId }: ActivityRecord,
  sealedId = '',
): string {
  const constants = ['', Math.floor(startedAt), limitsText(limits), life, sealedId, device];
  return [...constants, ...(userId === undefined ? [] : [userId])].join('|');
}

/** A record from its text; `undefined` if it is none. */
export function storedRecord(id: string, text: string): StoredRecord | undefined {
  return storedRecordIn(id, text.split('|'));
}

/** The same from what stands between the bars. */
export function storedRecordIn(
  id: string,
  [activity = '', startedAt, limits, life, sealedId, device, ...user]: readonly string[],
): StoredRecord | undefined {
  const parsed = limitsOf(limits);
  if (!parsed || device === undefined || !/^\d{13}[wp-]$/.test(activity)) return undefined;
  const numbers = [startedAt, life].map(Number);
  if (!numbers.every(Number.isFinite)) return undefined;
  const record: ActivityRecord = {
    id,
    life: numbers[1]!,
    startedAt: numbers[0]!,
    lastActivityAt: Number(activity.slice(0, -1)),
    limits: parsed,
    ...(user.length === 0 ? {} : { userId: user.join('|') }),
    ...(device === '' ? {} : { device }),
  };
  return { record, ...(sealedId ? { sealedId } : {}) };
}

/** Limits as records hold them: `warn/expire/lifetime` in seconds, or `never`. */
export function limitsText(limits: Limits): string {
  if (isExempt(limits)) return 'never';
  return `${limits.warnAfter}/${limits.expireAfter}/${limits.maxLifetime ?? ''}`;
}

/** Thousands of sessions have the same limits. */
const knownLimits = new Map<string, Limits | undefined>();
const KNOWN_LIMITS_KEPT = 1000;

function limitsOf(text = ''): Limits | undefined {
  if (knownLimits.has(text)) return knownLimits.get(text);
  if (knownLimits.size >= KNOWN_LIMITS_KEPT) knownLimits.clear();
  const limits = parsedLimits(text);
  knownLimits.set(text, limits);
  return limits;
}

function parsedLimits(text: string): Limits | undefined {
  if (text === 'never') return NEVER;
  const [warnAfter, expireAfter, maxLifetime = ''] = text.split('/');
  const limits = {
    warnAfter: Number(warnAfter),
    expireAfter: Number(expireAfter),
    maxLifetime: maxLifetime === '' ? null : Number(maxLifetime),
  };
  return limitProblems(limits).length === 0 ? Object.freeze(limits) : undefined;
}
