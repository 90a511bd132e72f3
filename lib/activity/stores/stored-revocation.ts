import type { KeptRevocation } from '../activity-record.js';
import { siblingEntry } from './sibling-entry.js';

/** Longer than anybody's session is kept who never comes. */
const LIFETIME_MS = 366 * 24 * 3600 * 1000;

interface StoredRevocation extends KeptRevocation {
  readonly version: 1;
  /** Keyed hash of the user's id, as in the key: some stores list what they hold without the keys. */
  readonly user: string;
}

/** The entry that says, beside the sessions, that those of a user have been ended, found or not. */
export function revocationEntry(
  user: string,
  { at, reason, sparedLife }: KeptRevocation,
  now: number,
): object {
  const stored: StoredRevocation = { version: 1, user, at, reason, sparedLife };
  return siblingEntry({ sessionSecurityRevocation: stored }, LIFETIME_MS, now);
}

/** What an entry says; `undefined` if it says nothing of the kind. */
export function storedRevocationIn(entry: unknown): StoredRevocation | undefined {
  const stored = (entry as { sessionSecurityRevocation?: unknown } | null | undefined)
    ?.sessionSecurityRevocation as Partial<StoredRevocation> | null | undefined;
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { version, user, at, reason } = stored;
  const isWhole =
    version === 1 && typeof user === 'string' && Number.isFinite(at) && typeof reason === 'string';
  return isWhole ? (stored as StoredRevocation) : undefined;
}
