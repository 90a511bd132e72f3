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
  /** Whether limits that differ by request are held to the preset; `null`: there are none. */
  readonly limitsByRequestChecked: string | null;
  /** Each standard that is known, and where `limits` leave it, not those by request: empty means within. */
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
  const description = { ...facts, limitsByRequestChecked: checkOf(facts), standards };
  return { ...description, toMarkdown: () => markdown(description) };
}

/** What the functions of an application answer is known with each request only. */
function checkOf({ limitsByRequest, preset }: PolicyFacts): string | null {
  if (!limitsByRequest) return null;
  return preset === null
    ? 'not checked against any standard'
    : 'shortened to what the preset requires, not checked against what it recommends';
}

function markdown(description: Omit<PolicyDescription, 'toMarkdown'>): string {
  const { standards, limitsByRequestChecked, ...facts } = description;
  const { limits, tolerance, preset, maxSessionsPerUser } = facts;
  const rows = [
    ['Warned after inactivity of', duration(limits.warnAfter)],
    ['Ended after inactivity of', isExempt(limits) ? 'never' : duration(limits.expireAfter)],
    ['Ended at an age of', limits.maxLifetime == null ? 'no limit' : duration(limits.maxLifetime)],
    [
      'Limits differ by request, user or role',
      limitsByRequestChecked === null ? 'no' : `yes; ${limitsByRequestChecked}`,
    ],
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
    ...(limitsByRequestChecked === null
      ? []
      : ['Of the limits of the table above, not those by request.', '']),
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
