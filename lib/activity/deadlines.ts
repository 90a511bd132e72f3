import type { EndReason } from './activity-record.js';

/** Who ends sessions whose time is over: for each kind of store another. */
export interface Deadlines {
  /** Works off the deadlines that have passed by now. */
  work(now: number): Promise<void>;

  /**
   * Asks the store about a session that memory takes for expired, and ends it if it is so.
   *
   * @returns the reason if the session has ended, `undefined` if it lives after all. Rejects when the store fails.
   */
  settle(sessionId: string): Promise<EndReason | undefined>;
}
