import type { ActivityRecord, EndReason } from '../activity/activity-record.js';
import type { News } from '../activity/shared-activity-store.js';
import { limitProblems, NEVER, isExempt, type Limits, type TimeoutReason } from '../policy/index.js';
import type { SealedSessionIds } from './sealed-session-id.js';

/** The fields of a record's hash that make the record, in the order in which scripts answer them. */
export const RECORD_FIELDS = ['s', 'a', 'l', 'f', 'u', 'g'] as const;

/** An entry of a stream as scripts answer it: its id, and its fields and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** What kind of thing an entry tells of. */
export function kindOf([, fields]: StreamEntry): string {
  return fields[fields.indexOf('e') + 1]!;
}

/** What an entry tells, or `undefined` if it cannot be read. */
export function newsOf([, fields]: StreamEntry, sealed: SealedSessionIds): News | undefined {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) values.set(fields[index]!, fields[index + 1]!);
  const id = values.get('i');
  const parts = RECORD_FIELDS.map((name) => values.get(name));
  const record = id === undefined ? undefined : recordOf(id, parts);
  if (!record) return undefined;
  const sessionKey = values.get('k');
  return {
    signal: {
      kind: values.get('e'),
      record,
      at: Number(values.get('t')),
      dueAt: Number(values.get('d')),
      reason: values.get('r') as EndReason & TimeoutReason,
    } as News['signal'],
    // Only few need it, and it costs more than all the rest.
    get sessionId() {
      return sessionKey === undefined ? undefined : sealed.open(record.id, sessionKey);
    },
    keepsBlob: values.get('b') === '1',
  };
}

/** A record from the values of {@link RECORD_FIELDS}; `undefined` if they are no record. */
export function recordOf(
  id: string,
  [startedAt, lastActivityAt, limits, life, userId, device]: readonly (string | null | undefined)[],
): ActivityRecord | undefined {
  const parsed = limitsOf(limits);
  const numbers = [startedAt, lastActivityAt, life].map((text) => (text == null ? NaN : Number(text)));
  if (!parsed || !numbers.every(Number.isFinite)) return undefined;
  return {
    id,
    life: numbers[2]!,
    startedAt: numbers[0]!,
    lastActivityAt: numbers[1]!,
    limits: parsed,
    ...(userId == null ? {} : { userId }),
    ...(device == null ? {} : { device }),
  };
}

/** Limits as records hold them: `warn/expire/lifetime` in seconds, or `never`. */
export function limitsText(limits: Limits): string {
  if (isExempt(limits)) return 'never';
  return `${limits.warnAfter}/${limits.expireAfter}/${limits.maxLifetime ?? ''}`;
}

function limitsOf(text: string | null | undefined): Limits | undefined {
  if (text == null) return undefined;
  if (text === 'never') return NEVER;
  const [warnAfter, expireAfter, maxLifetime = ''] = text.split('/');
  const limits = {
    warnAfter: Number(warnAfter),
    expireAfter: Number(expireAfter),
    maxLifetime: maxLifetime === '' ? null : Number(maxLifetime),
  };
  return limitProblems(limits).length === 0 ? limits : undefined;
}
