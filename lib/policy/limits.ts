import { shownAsNoNumber } from './shown-value.js';

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

/** Where limits come from that nobody wrote down. */
export type LimitOrigins = { readonly [Name in keyof Limits]?: string };

/** The limits of a user who is never signed out: no deadline ever comes. */
export const NEVER: Limits = Object.freeze({ warnAfter: Infinity, expireAfter: Infinity, maxLifetime: null });

/** A hundred years. Instants further away cannot be written as dates; whoever means "never" can say so. */
const LONGEST = 100 * 365 * 24 * 3600;

/** True for limits that never end a session. */
export function isExempt(limits: Limits): boolean {
  return limits.expireAfter === Infinity;
}

/**
 * One sentence for each contradiction in the limits; empty when they can be used.
 *
 * @param origins where those limits come from that nobody wrote down, such as "the default".
 */
export function limitProblems(
  { warnAfter, expireAfter, maxLifetime }: Limits,
  origins: LimitOrigins = {},
): string[] {
  const problems: string[] = [];
  const named = { warnAfter, expireAfter, ...(maxLifetime == null ? {} : { maxLifetime }) };
  for (const [name, value] of Object.entries(named)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      problems.push(`${name} must be a positive number of seconds, but is ${shownAsNoNumber(value)}`);
    } else if (value > LONGEST) {
      problems.push(`${name} must be at most ${LONGEST} seconds, a hundred years, but is ${value}`);
    }
  }
  if (problems.length > 0) return problems;
  const said = (name: keyof Limits, value: number): string =>
    `${name} (${[value, origins[name] ?? []].flat().join(', ')})`;
  const contradiction = (name: keyof Limits, value: number, rule: string): string => {
    const unwritten = ([name, 'expireAfter'] as const).filter((limit) => origins[limit] !== undefined);
    const advice = unwritten.map((limit) => `; set ${limit} too`).join('');
    return `${said(name, value)} must ${rule} ${said('expireAfter', expireAfter)}${advice}`;
  };
  if (warnAfter >= expireAfter) problems.push(contradiction('warnAfter', warnAfter, 'be less than'));
  if (maxLifetime != null && maxLifetime < expireAfter)
    problems.push(contradiction('maxLifetime', maxLifetime, 'not be less than'));
  return problems;
}
