import type {
  ActivityRecord,
  ActivityUpdate,
  EndMode,
  EndReason,
  KeptRevocation,
} from './activity-record.js';
import type { TimeoutReason } from '../policy/index.js';

/** A boundary that a session has passed, as {@link ActivityStore.due} hands it out. */
export interface DueRecord {
  /** `warn`: the record lives on; `expire`: the store has ended it in this call; `gone`: there was none any more. */
  readonly kind: 'warn' | 'expire' | 'gone';
  readonly reason: TimeoutReason;
  /** The instant of the boundary, epoch milliseconds. */
  readonly dueAt: number;
  readonly record: ActivityRecord;
  /** The session's own id, where this process knows it. */
  readonly sessionId?: string;
}

/** A record, with the session's own id where this process knows it. */
export interface FoundSession {
  readonly record: ActivityRecord;
  readonly sessionId?: string;
}

/**
 * Where activity records live; also the injection token. The merge rules make every order of calls right:
 * last activity only grows, only {@link start} creates, and an end is told to one caller.
 *
 * @publicApi
 */
export abstract class ActivityStore {
  /** Creates the record, or replaces it. The only method that creates. */
  abstract start(record: ActivityRecord): Promise<void>;

  /**
   * The record, or `undefined` if there is none.
   *
   * @throws {CorruptRecordError} if something is stored that is no record.
   */
  abstract find(id: string): Promise<ActivityRecord | undefined>;

  /** Moves last activity forward, never back, never creating; answers the ids that no longer exist. */
  abstract touch(updates: readonly ActivityUpdate[]): Promise<string[]>;

  /** Replaces limits and clocks of a record that exists. */
  abstract adjust(record: ActivityRecord): Promise<void>;

  /** Removes the record; answers it to exactly one caller, `undefined` to all others. */
  abstract end(id: string, reason: EndReason, mode?: EndMode): Promise<ActivityRecord | undefined>;

  /** The live records of one user. */
  abstract ofUser(userId: string): Promise<FoundSession[]>;

  /**
   * The next sessions whose warn or expire deadline has passed by `now`, about `limit` of them, each handed to exactly
   * one caller. The expired ones have been confirmed and ended. `more`: call again at once, there may be others.
   */
  abstract due(now: number, limit: number): Promise<{ due: DueRecord[]; more: boolean }>;

  /**
   * The sessions that lived when the process last stopped, for a store whose deadlines live in this process: it hands
   * out as {@link due} only what it knows.
   */
  recover(): Promise<FoundSession[]> {
    return Promise.resolve([]);
  }

  /**
   * Keeps for later processes that all sessions of a user have been ended, for a store that may hold some which it cannot
   * name.
   *
   * @returns whether nothing is left to be done; not before it is known where to keep it.
   */
  keepRevocation?(userId: string, revocation: KeptRevocation): Promise<boolean>;

  /** What {@link keepRevocation} has kept of a user. */
  revocationOf?(userId: string): Promise<KeptRevocation | undefined>;
}

/** What is stored under a record's key is no record: it is treated as ended. */
export class CorruptRecordError extends Error {
  readonly code = 'SESSION_SECURITY_CORRUPT_RECORD';

  constructor(id: string) {
    super(`The activity record ${id} cannot be read; its session is treated as ended.`);
    this.name = 'CorruptRecordError';
  }
}

/** To catch with: a corrupt record is none, and every other error goes on. */
export function forgiveCorrupt(error: unknown): undefined {
  if (!(error instanceof CorruptRecordError)) throw error;
  return undefined;
}
