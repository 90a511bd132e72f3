import type { Limits } from './limits.js';

/** One limit of a standard, in seconds. `shall` must be kept, `should` may be left with a reason that is written down. */
export interface Ceiling {
  readonly option: 'expireAfter' | 'maxLifetime';
  readonly seconds: number;
  readonly level: 'shall' | 'should';
}

/** What a standard asks of session limits, and the limits that are set where the application sets none. */
export interface Preset {
  readonly title: string;
  readonly source: string;
  readonly limits: Limits & { readonly maxLifetime: number | null };
  readonly ceilings: readonly Ceiling[];
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The standards' limits. Where a standard gives a range, the preset's own limits keep to its strict end; limits that
 * leave no room for the tolerance of the chosen store are set a little shorter than the standard allows.
 */
export const PRESETS = {
  'nist-aal1': {
    title: 'NIST SP 800-63B-4, AAL1',
    source: 'overall timeout should be at most 30 days, an inactivity timeout is optional',
    limits: { warnAfter: 55 * MINUTE, expireAfter: HOUR, maxLifetime: 30 * DAY },
    ceilings: [{ option: 'maxLifetime', seconds: 30 * DAY, level: 'should' }],
  },
  'nist-aal2': {
    title: 'NIST SP 800-63B-4, AAL2',
    source:
      'an overall timeout is required and should be at most 24 hours; inactivity should be at most 1 hour',
    limits: { warnAfter: 55 * MINUTE, expireAfter: HOUR - MINUTE, maxLifetime: DAY },
    ceilings: [
      { option: 'maxLifetime', seconds: Infinity, level: 'shall' },
      { option: 'maxLifetime', seconds: DAY, level: 'should' },
      { option: 'expireAfter', seconds: HOUR, level: 'should' },
    ],
  },
  'nist-aal3': {
    title: 'NIST SP 800-63B-4, AAL3',
    source: 'overall at most 12 hours is required; inactivity should be at most 15 minutes',
    limits: { warnAfter: 13 * MINUTE, expireAfter: 14 * MINUTE, maxLifetime: 12 * HOUR },
    ceilings: [
      { option: 'maxLifetime', seconds: 12 * HOUR, level: 'shall' },
      { option: 'expireAfter', seconds: 15 * MINUTE, level: 'should' },
    ],
  },
  'pci-dss': {
    title: 'PCI DSS 4.0, 8.2.8',
    source: 're-authentication after more than 15 minutes idle',
    limits: { warnAfter: 13 * MINUTE, expireAfter: 14 * MINUTE, maxLifetime: null },
    ceilings: [{ option: 'expireAfter', seconds: 15 * MINUTE, level: 'shall' }],
  },
  hipaa: {
    title: 'HIPAA, 45 CFR 164.312(a)(2)(iii)',
    source: 'sessions end after a predetermined time of inactivity; the rule names none, 15 minutes is usual',
    limits: { warnAfter: 13 * MINUTE, expireAfter: 14 * MINUTE, maxLifetime: null },
    ceilings: [{ option: 'expireAfter', seconds: 15 * MINUTE, level: 'should' }],
  },
  'owasp-high': {
    title: 'OWASP Session Management Cheat Sheet, high-value applications',
    source: 'idle 2 to 5 minutes, absolute 4 to 8 hours',
    limits: { warnAfter: 4 * MINUTE, expireAfter: 5 * MINUTE - 12, maxLifetime: 4 * HOUR },
    ceilings: [
      { option: 'expireAfter', seconds: 5 * MINUTE, level: 'should' },
      { option: 'maxLifetime', seconds: 8 * HOUR, level: 'should' },
    ],
  },
  'owasp-low': {
    title: 'OWASP Session Management Cheat Sheet, low-risk applications',
    source: 'idle 15 to 30 minutes, absolute 4 to 8 hours',
    limits: { warnAfter: 13 * MINUTE, expireAfter: 15 * MINUTE, maxLifetime: 8 * HOUR },
    ceilings: [
      { option: 'expireAfter', seconds: 30 * MINUTE, level: 'should' },
      { option: 'maxLifetime', seconds: 8 * HOUR, level: 'should' },
    ],
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;

/** Where limits go beyond a preset. The tolerance, in seconds, counts inside the idle limit; a lifetime is always exact. */
export function beyondPreset(
  name: PresetName,
  limits: Limits,
  tolerance: number,
): (Pick<Ceiling, 'option' | 'level'> & { readonly problem: string })[] {
  const { title, source, ceilings }: Preset = PRESETS[name];
  return ceilings.flatMap((ceiling) => {
    if (isWithin(ceiling, limits, tolerance)) return [];
    const { option, seconds, level } = ceiling;
    const value = limits[option] ?? Infinity;
    const late = lateness(option, tolerance);
    const asked = seconds === Infinity ? 'a limit' : `at most ${seconds} seconds`;
    const given =
      value === Infinity ? 'there is none' : `it is ${value}${late > 0 ? ` and may be ${late} late` : ''}`;
    const problem = `${option}: preset "${name}" asks for ${asked}, but ${given} (${title}: ${source})`;
    return [{ option, level, problem }];
  });
}

/** The limits, "never" too, shortened to what a preset requires. What it only recommends may be left. */
export function withinPreset(name: PresetName, limits: Limits, tolerance: number): Limits {
  const { ceilings, limits: own }: Preset = PRESETS[name];
  const required = ceilings.filter(
    (ceiling) => ceiling.level === 'shall' && !isWithin(ceiling, limits, tolerance),
  );
  if (required.length === 0) return limits;
  const { maxLifetime = null, expireAfter } = required.reduce<Limits>(
    (kept, { option, seconds }) => ({
      ...kept,
      [option]: seconds === Infinity ? own.maxLifetime : seconds - lateness(option, tolerance),
    }),
    limits,
  );
  // Nobody is exempt who has a lifetime: an idle limit beyond it says nothing, and one without end would exempt.
  const idle = Math.min(expireAfter, maxLifetime ?? Infinity);
  const warnAfter =
    idle === limits.expireAfter ? limits.warnAfter : Math.min(limits.warnAfter, warnBefore(idle));
  return { warnAfter, expireAfter: idle, maxLifetime };
}

function isWithin({ option, seconds }: Ceiling, limits: Limits, tolerance: number): boolean {
  const value = limits[option] ?? Infinity;
  return seconds === Infinity ? value < Infinity : value + lateness(option, tolerance) <= seconds;
}

function lateness(option: Ceiling['option'], tolerance: number): number {
  return option === 'expireAfter' ? tolerance : 0;
}

/** Leaves a minute for the warning, or half of a short limit. */
function warnBefore(expireAfter: number): number {
  return Math.max(expireAfter - MINUTE, expireAfter / 2);
}
