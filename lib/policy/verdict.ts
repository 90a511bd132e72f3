import type { Limits } from './limits.js';

/** Why a session ends by the passing of time: nobody was active, or its absolute lifetime is over. */
export type TimeoutReason = 'idle' | 'lifetime';

/** Where in its life a session stands. */
export type Phase = 'active' | 'warning' | 'expired';

/** The two instants that decide, in epoch milliseconds UTC. */
export interface Timeline {
  readonly startedAt: number;
  readonly lastActivityAt: number;
}

/** The answer of {@link judge}; instants in whole epoch milliseconds, `Infinity` for "never". */
export interface Verdict {
  readonly phase: Phase;
  /** The limit that comes first. */
  readonly reason: TimeoutReason;
  readonly warnAt: number;
  readonly expireAt: number;
  /** The last activity that counts: a stamp in the future is taken as now. */
  readonly lastActivityAt: number;
}

/**
 * The one place where times are compared. Guard, ping, deadlines and client all act on its answer.
 *
 * Both boundaries are inclusive: at `expireAt` the session has expired. A stamp that lies in the future neither ends
 * the session nor extends it beyond `now + expireAfter`. The warning of the absolute lifetime comes as long before the
 * end as the one of the idle limit does.
 */
export function judge(limits: Limits, timeline: Timeline, now: number): Verdict {
  const lastActivityAt = Math.min(timeline.lastActivityAt, now);
  const idleEnd = lastActivityAt + limits.expireAfter * 1000;
  const lifetimeEnd =
    limits.maxLifetime == null ? Infinity : Math.min(timeline.startedAt, now) + limits.maxLifetime * 1000;
  const reason: TimeoutReason = lifetimeEnd < idleEnd ? 'lifetime' : 'idle';
  const end = Math.min(idleEnd, lifetimeEnd);
  // Limits may be fractions; clocks tell whole milliseconds, so nothing happens later by this.
  const expireAt = Math.ceil(end);
  const warnAt =
    end === Infinity ? Infinity : Math.ceil(end - (limits.expireAfter - limits.warnAfter) * 1000);
  const phase = now >= expireAt ? 'expired' : now >= warnAt ? 'warning' : 'active';
  return { phase, reason, warnAt, expireAt, lastActivityAt };
}
