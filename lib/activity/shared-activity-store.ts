import type { TimeoutReason } from '../policy/index.js';
import type { ActivityRecord, EndMode, EndReason } from './activity-record.js';
import type { ActivitySignal } from './activity-signal.js';
import { ActivityStore } from './activity-store.js';
import type { Clock } from './clock.js';
import type { SessionReferences } from './session-reference.js';

/** What a shared store is given by the application that it serves. */
export interface StoreSurroundings {
  readonly references: SessionReferences;
  /** Key material; the same on every process. */
  readonly secret: string;
  readonly flushIntervalMs: number;
}

/** A signal that tells of a record; what a shared store keeps in its log. */
export type RecordSignal = Extract<ActivitySignal, { readonly record: ActivityRecord }>;

/** A session goes on under another id; only for the processes that remember this one. */
interface MoveSignal {
  readonly kind: 'moved';
  readonly record: ActivityRecord;
  readonly at: number;
  /** The record with which it goes on, if it does. */
  readonly to?: string;
}

/** Something that happened, as every process is told of it. */
export interface News {
  readonly signal: RecordSignal | MoveSignal;
  /** The session's own id, if it can be read. */
  readonly sessionId?: string | undefined;
  /** The session id stays in use for an anonymous session. */
  readonly keepsBlob: boolean;
}

/** What came of asking the store whether a session's time is over. */
export type Expiry =
  | { readonly state: 'ended'; readonly reason: TimeoutReason }
  | { readonly state: 'gone' }
  | { readonly state: 'alive'; readonly record: ActivityRecord };

/**
 * A store that several processes share, and that keeps one truth for all of them: it judges by a clock of its own, and
 * what happens is told through its log, to every process and once to each group of handlers.
 *
 * A process that dies may take up to one flush interval of activity with it. So the store judges idle deadlines that
 * much later, and a record that is read from it counts as active that much later than it says: never early.
 */
export abstract class SharedActivityStore extends ActivityStore {
  /** How often {@link due} wants to be called, in milliseconds. */
  abstract readonly pollIntervalMs: number;

  /** The clock whose instants the records carry, for the whole engine to use. */
  abstract synchronize(clock: Clock): Clock;

  /** Called once, after {@link synchronize} and before anything else. */
  abstract connect(surroundings: StoreSurroundings): void;

  /** Makes sure that the store can be reached; rejects if not, and may be called again. */
  abstract open(): Promise<void>;

  /** The part of the store in which a record lies: each may fail by itself. */
  abstract partOf(id: string): number;

  /** In which of its parts the store has failed of late, while it answered in others, and how. */
  abstract failures(): ReadonlyMap<number, string>;

  /** Hands out nothing new, and waits until what has been handed out is settled. */
  abstract close(): Promise<void>;

  /**
   * @param sessionId the session's own id, kept so that nobody else can read it
   * @param silent the session goes on from another id: nothing is told, and what is not touched within some minutes, nor
   *   asked for, is forgotten
   */
  abstract override start(record: ActivityRecord, sessionId?: string, silent?: boolean): Promise<void>;

  /**
   * If the session goes on under another id, which perhaps only another process knows, it is ended there.
   *
   * @param mode what becomes of the session's id, for the processes that remember it
   */
  abstract override end(id: string, reason: EndReason, mode?: EndMode): Promise<ActivityRecord | undefined>;

  /**
   * The session goes on with another record, which has been started: unless it has ended meanwhile, or goes on with yet
   * another, because another process was sooner. No handler is told.
   *
   * @param to with none, if left out
   * @returns the record with which it goes on.
   */
  abstract move(id: string, to?: string): Promise<string | undefined>;

  /** Ends the session if its time is over by the store's own clock. */
  abstract expire(id: string): Promise<Expiry>;

  /** Why and when a session ended, if the store still knows. */
  abstract grave(id: string): Promise<{ reason: EndReason; at: number } | undefined>;

  /**
   * Whether a session that has been given another id, since that instant, lives under it, whichever process has given it.
   */
  abstract goesOn(id: string, since: number): Promise<boolean>;

  /** What {@link due} has heard since the last call. */
  abstract takeNews(): News[];

  /**
   * Hands everything that happens to one member of the group, on whichever process: at least once, again when the handler
   * rejects or its process dies. Each process goes through what it is given of a session in order; nothing keeps another,
   * or one that tries again, in step with it. What happened before the group was founded is not handed out.
   *
   * @param kinds what the handler is for; everything if left out
   */
  abstract deliver(
    group: string,
    handler: (news: News) => Promise<void>,
    kinds?: readonly News['signal']['kind'][],
  ): void;
}
