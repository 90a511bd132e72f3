import type { Limits, TimeoutReason } from '../policy/index.js';

/** Why a session ended. `replaced`: another sign-in took its place. */
export type EndReason = TimeoutReason | 'logout' | 'revoked' | 'replaced';

/** What is known of one watched session, beside its blob. Instants in epoch milliseconds UTC. */
export interface ActivityRecord {
  /** Keyed hash of the session id: records, events, logs and a dump of the store hold no cookie. */
  readonly id: string;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly limits: Limits;
  readonly userId?: string;
}

/** One entry of a batch of activity. */
export interface ActivityUpdate {
  readonly id: string;
  readonly lastActivityAt: number;
}
