import { shownValue } from './shown-value.js';

/**
 * How long a session may live, in **seconds**.
 *
 * - `warnAfter`: idle time after which the user is warned (ASVS 5.0 7.3.1, WCAG 2.2 SC 2.2.1);
 * - `expireAfter`: idle time after which the session ends;
 * - `maxLifetime`: age, from the sign-in, at which the session ends whatever the user does (ASVS 5.0 7.3.2);
 *   `null` = no such limit.
 */
export interface Limits {
  readonly warnAfter: number;
  readonly expireAfter: number;
  readonly maxLifetime?: number | null;
}

/** The limits of a user who is never signed out: no deadline ever comes. */
export const NEVER: Limits = Object.freeze({ warnAfter: Infinity, expireAfter: Infinity, maxLifetime: null });

/** A hundred years. Instants further away cannot be written as dates; whoever means "never" can say so. */
const LONGEST = 100 * 365 * 24 * 3600;

/** True for limits that never end a session. */
export function isExempt(limits: Limits): boolean {
  return limits.expireAfter === Infinity;
}

/** One sentence for each contradiction in the limits; empty when they can be used. */
export function limitProblems({ warnAfter, expireAfter, maxLifetime }: Limits): string[] {
  const problems: string[] = [];
  const named = { warnAfter, expireAfter, ...(maxLifetime == null ? {} : { maxLifetime }) };
  for (const [name, value] of Object.entries(named)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      problems.push(`${name} must be a positive number of seconds, but is ${shownValue(value)}`);
    } else if (value > LONGEST) {
      problems.push(`${name} must be at most ${LONGEST} seconds, a hundred years, but is ${value}`);
    }
  }
  if (problems.length > 0) return problems;
  if (warnAfter >= expireAfter) {
    problems.push(`warnAfter (${warnAfter}) must be less than expireAfter (${expireAfter})`);
  }
  if (maxLifetime != null && maxLifetime < expireAfter) {
    problems.push(`maxLifetime (${maxLifetime}) must not be less than expireAfter (${expireAfter})`);
  }
  return problems;
}
