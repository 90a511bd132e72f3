import type { EndReason } from '../activity/activity-record.js';
import type { TimeoutReason } from '../policy/index.js';

/** What every event says. Instants in epoch milliseconds UTC. */
export interface SessionEvent<Kind extends string> {
  /** The same whenever the same thing is told again; handlers that store it work exactly once. */
  readonly id: string;
  readonly kind: Kind;
  /** Keyed hash of the session id, never the id itself (ASVS 5.0 16.2.5). */
  readonly session: string;
  readonly userId?: string;
  /** The kind of browser that signed in. */
  readonly device?: string;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly recordedAt: number;
  /** Milliseconds since the last activity. */
  readonly idleMs: number;
}

/** Somebody signed in, or a signed-in session was seen for the first time. */
export type SessionStartEvent = SessionEvent<'start'>;

/** A session has been idle for `warnAfter`, or its lifetime is nearly over. Once per idle period. */
export interface SessionWarnEvent extends SessionEvent<'warn'> {
  readonly reason: TimeoutReason;
  readonly dueAt: number;
  /** Milliseconds after `dueAt` at which it was found. */
  readonly lateMs: number;
}

/** A warning was called off: by activity, a re-authentication or longer limits. */
export type SessionRenewEvent = SessionEvent<'renew'>;

/** A session has ended by the passing of time. Exactly once per session. */
export interface SessionExpireEvent extends SessionEvent<'expire'> {
  readonly reason: TimeoutReason;
  readonly dueAt: number;
  readonly lateMs: number;
}

/** A session has ended, for whatever reason. Exactly once per session. */
export interface SessionEndEvent extends SessionEvent<'end'> {
  readonly reason: EndReason;
  readonly dueAt: number;
  readonly lateMs: number;
}

export type AnySessionEvent =
  SessionStartEvent | SessionWarnEvent | SessionRenewEvent | SessionExpireEvent | SessionEndEvent;
