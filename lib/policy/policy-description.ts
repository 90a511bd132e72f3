import { isExempt, type Limits } from './limits.js';
import { beyondPreset, type PresetName, PRESETS } from './presets.js';

/** The facts that an auditor asks for; durations in seconds. */
export interface PolicyFacts {
  readonly limits: Limits;
  readonly tolerance: number;
  readonly preset: PresetName | null;
  /** Limits may differ by request, user or role. */
  readonly limitsByRequest: boolean;
  readonly maxSessionsPerUser: number | null;
  readonly onTooManySessions: string;
  readonly onExpired: string;
}

/** The policy in force, as it can be handed to an auditor. ASVS 5.0 7.1.1 and 7.1.2. */
export interface PolicyDescription extends PolicyFacts {
  /** Each standard that is known, and where the limits leave it: empty means within. */
  readonly standards: readonly {
    readonly title: string;
    readonly source: string;
    readonly deviations: readonly string[];
  }[];
  toMarkdown(): string;
}

export function describePolicy(facts: PolicyFacts): PolicyDescription {
  const standards = (Object.keys(PRESETS) as PresetName[]).map((name) => ({
    title: PRESETS[name].title,
    source: PRESETS[name].source,
    deviations: beyondPreset(name, facts.limits, facts.tolerance).map(
      ({ level, problem }) => `${level}: ${problem}`,
    ),
  }));
  return { ...facts, standards, toMarkdown: () => markdown(facts, standards) };
}

function markdown(facts: PolicyFacts, standards: PolicyDescription['standards']): string {
  const { limits, tolerance, preset, maxSessionsPerUser } = facts;
  const rows = [
    ['Warned after inactivity of', duration(limits.warnAfter)],
    ['Ended after inactivity of', isExempt(limits) ? 'never' : duration(limits.expireAfter)],
    ['Ended at an age of', limits.maxLifetime == null ? 'no limit' : duration(limits.maxLifetime)],
    ['Limits differ by request, user or role', facts.limitsByRequest ? 'yes' : 'no'],
    ['An end may be late by (never early)', duration(tolerance)],
    [
      'Sessions of one user at once',
      maxSessionsPerUser === null ? 'any number' : `${maxSessionsPerUser}, then ${facts.onTooManySessions}`,
    ],
    ['A request of an ended session', facts.onExpired],
    ['Preset', preset === null ? 'none' : PRESETS[preset].title],
  ];
  return [
    '# Session timeout policy',
    '',
    'Enforced on the server, with or without a browser. Durations in seconds.',
    '',
    '| rule | value |',
    '| --- | --- |',
    ...rows.map(([rule, value]) => `| ${rule} | ${value} |`),
    '',
    '## Against the standards',
    '',
    '| standard | asks for | deviations |',
    '| --- | --- | --- |',
    ...standards.map(
      ({ title, source, deviations }) => `| ${title} | ${source} | ${deviations.join('<br>') || 'none'} |`,
    ),
    '',
  ].join('\n');
}

function duration(seconds: number): string {
  if (seconds >= 7200) return `${seconds} (${+(seconds / 3600).toFixed(2)} h)`;
  return seconds >= 120 ? `${seconds} (${+(seconds / 60).toFixed(2)} min)` : String(seconds);
}
