import type { Limits, TimeoutReason } from '../policy/index.js';

/** Why a session ended. `replaced`: another sign-in took its place. */
export type EndReason = TimeoutReason | 'logout' | 'revoked' | 'replaced';

/** How a session is taken out: for good, or but its id stays in use for an anonymous session. */
export type EndMode = 'end' | 'keep';

/** What is known of one watched session, beside its blob. Instants in epoch milliseconds UTC. */
export interface ActivityRecord {
  /** Keyed hash of the session id: records, events, logs and a dump of the store hold no cookie. */
  readonly id: string;
  /**
   * Number of this life of the session id: another one begins with every sign-in. It ties the marker in a session's data
   * to its record, and stays when the clocks are restarted or the id is rotated.
   */
  readonly life: number;
  /** The sign-in, or the last re-authentication: what `maxLifetime` counts from. */
  readonly startedAt: number;
  readonly lastActivityAt: number;
  /**
   * How much of last activity is only allowed for: a process that died may not have written what it knew. Sessions are
   * judged by it, and it is never stored, or one allowance would be added to another for ever.
   */
  readonly allowanceMs?: number;
  readonly limits: Limits;
  readonly userId?: string;
  /** The kind of browser that signed in, such as "Firefox on Windows". */
  readonly device?: string;
}

/** What is known of a session, as it may be stored: with such activity only as has been seen. */
export function withoutAllowance<Known extends Pick<ActivityRecord, 'lastActivityAt' | 'allowanceMs'>>({
  allowanceMs = 0,
  ...known
}: Known): Omit<Known, 'allowanceMs'> {
  return { ...known, lastActivityAt: known.lastActivityAt - allowanceMs };
}

/** All sessions of a user that had begun before an instant have been ended. */
export interface KeptRevocation {
  readonly at: number;
  readonly reason: EndReason;
  /** The life that goes on all the same. */
  readonly sparedLife?: number | undefined;
}

/** One entry of a batch of activity. */
export interface ActivityUpdate {
  readonly id: string;
  /** The life in which it was seen; of the one that is there, if not told. */
  readonly life?: number;
  readonly lastActivityAt: number;
}

/** Not known to be different: an application may not tell who is signed in. */
export function isSameUser(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
