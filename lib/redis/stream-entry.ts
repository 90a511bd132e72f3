import type { News } from '../activity/shared-activity-store.js';
import type { SealedSessionIds } from './sealed-session-id.js';
import { storedRecordIn } from './stored-record.js';

/** An entry of a stream as scripts answer it: its id, and its one field with what it tells. */
export type StreamEntry = readonly [id: string, fields: readonly [name: string, text: string]];

/** What kind of thing an entry tells of. */
export function kindOf([, [, text]]: StreamEntry): string {
  return text.slice(0, text.indexOf('|'));
}

/** What the text of an entry tells, or `undefined` if it cannot be read. The form is that of `tell` in the scripts. */
export function newsOf(text: string, sealed: SealedSessionIds): News | undefined {
  const [kind, id, at, reason, dueAt, keepsBlob, ...parts] = text.split('|');
  const stored = id === undefined ? undefined : storedRecordIn(id, parts);
  if (!stored) return undefined;
  const { record, sealedId } = stored;
  return {
    signal: (kind === 'moved'
      ? { kind, record, at: Number(at), ...(reason && { to: reason }) }
      : { kind, record, at: Number(at), dueAt: Number(dueAt), reason }) as News['signal'],
    // Only few need it, and it costs more than all the rest.
    get sessionId() {
      return sealedId === undefined ? undefined : sealed.open(record.id, sealedId);
    },
    keepsBlob: keepsBlob === '1',
  };
}
