import { describe, expect, it } from '@jest/globals';
import { validateOptions } from '../../../lib/options/index.js';
import {
  beyondPreset,
  describePolicy,
  limitProblems,
  type Limits,
  NEVER,
  type PolicyDescription,
  type PresetName,
  PRESETS,
  withinPreset,
} from '../../../lib/policy/index.js';

const NAMES = Object.keys(PRESETS) as PresetName[];

describe('presets', () => {
  it.each(NAMES)('%s is kept by its own limits, tolerance included', (preset) => {
    const { options, warnings } = validateOptions({ preset, allowLongLimits: true });
    expect(beyondPreset(preset, options, options.flushInterval)).toEqual([]);
    expect(warnings).toEqual([]);
    expect(options).toMatchObject(PRESETS[preset].limits);
  });

  it.each<[PresetName, object, RegExp]>([
    [
      'nist-aal3',
      { maxLifetime: 13 * 3600 },
      /^maxLifetime: preset "nist-aal3" asks for at most 43200 seconds, but it is 46800/,
    ],
    ['nist-aal3', { maxLifetime: null }, /^maxLifetime: .* but there is none/],
    [
      'nist-aal2',
      { maxLifetime: null },
      /^maxLifetime: preset "nist-aal2" asks for a limit, but there is none/,
    ],
    [
      'pci-dss',
      { expireAfter: 900 },
      /^expireAfter: .* at most 900 seconds, but it is 900 and may be 12 late/,
    ],
    ['pci-dss', { warnAfter: 900, expireAfter: 1800 }, /^expireAfter: .* but it is 1800/],
  ])('%s refuses %j', (preset, given, problem) => {
    expect(() => validateOptions({ preset, ...given })).toThrow(
      expect.objectContaining({ problems: [expect.stringMatching(problem)] }),
    );
  });

  it.each<[PresetName, object, RegExp]>([
    ['nist-aal1', { maxLifetime: 31 * 86_400 }, /at most 2592000 seconds/],
    ['nist-aal2', { expireAfter: 7200 }, /expireAfter: .* at most 3600/],
    ['nist-aal3', { expireAfter: 1200 }, /expireAfter: .* at most 900/],
    ['hipaa', { expireAfter: 1200 }, /expireAfter: .* at most 900/],
    ['owasp-high', { expireAfter: 600 }, /expireAfter: .* at most 300/],
    ['owasp-low', { maxLifetime: 36_000 }, /maxLifetime: .* at most 28800/],
  ])('%s warns of %j', (preset, given, warning) => {
    const { warnings } = validateOptions({ preset, ...given });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(() => validateOptions({ preset, ...given, strict: true })).toThrow(warning);
  });

  it('refuses a preset that is none', () => {
    expect(() => validateOptions({ preset: 'pci' as PresetName })).toThrow(
      /preset must be one of nist-aal1, .* but is "pci"/,
    );
  });

  it('holds limits by request to what it requires, and leaves what it recommends', () => {
    const long = { warnAfter: 3000, expireAfter: 3600, maxLifetime: null };
    expect(withinPreset('pci-dss', long, 2)).toEqual({ warnAfter: 838, expireAfter: 898, maxLifetime: null });
    expect(withinPreset('nist-aal2', long, 2)).toEqual({ ...long, maxLifetime: 86_400 });
    expect(withinPreset('hipaa', long, 2)).toEqual(long);
    const short = { warnAfter: 60, expireAfter: 120, maxLifetime: 600 };
    for (const name of NAMES) expect(withinPreset(name, short, 2)).toEqual(short);
  });

  it.each<[PresetName, Limits]>([
    ['nist-aal1', NEVER],
    // An overall timeout is required, and nobody who has one is exempt; no idle limit is required beside it.
    ['nist-aal2', { warnAfter: 86_340, expireAfter: 86_400, maxLifetime: 86_400 }],
    ['nist-aal3', { warnAfter: 43_140, expireAfter: 43_200, maxLifetime: 43_200 }],
    ['pci-dss', { warnAfter: 838, expireAfter: 898, maxLifetime: null }],
    ['hipaa', NEVER],
    ['owasp-high', NEVER],
    ['owasp-low', NEVER],
  ])("%s makes of 'never' what it requires", (name, inForce) => {
    expect(withinPreset(name, NEVER, 2)).toEqual(inForce);
    expect(limitProblems(inForce).length === 0 || inForce === NEVER).toBe(true);
  });

  it('leaves a lifetime longer than recommended, and shortens one that is longer than required', () => {
    const long = { warnAfter: 30_000, expireAfter: 50_000, maxLifetime: 400_000 };
    expect(withinPreset('nist-aal2', long, 2)).toEqual(long);
    expect(withinPreset('nist-aal3', long, 2)).toEqual({
      warnAfter: 30_000,
      expireAfter: 43_200,
      maxLifetime: 43_200,
    });
  });
});

describe('the description of the policy', () => {
  const facts = {
    limits: { warnAfter: 540, expireAfter: 600, maxLifetime: 28_800 },
    tolerance: 10,
    preset: null,
    limitsByRequest: true,
    maxSessionsPerUser: 3,
    onTooManySessions: 'end-oldest',
    onExpired: 'reject',
  };

  it('ASVS 7.1.1 compares the limits with every standard, as JSON', () => {
    const { standards, ...described } = JSON.parse(
      JSON.stringify(describePolicy(facts)),
    ) as PolicyDescription;
    expect(described).toEqual({ ...facts, limitsByRequestChecked: 'not checked against any standard' });
    const deviationsOf = (part: string) => standards.find(({ title }) => title.includes(part))!.deviations;
    expect(deviationsOf('AAL2')).toEqual([]);
    expect(deviationsOf('high-value')).toEqual([
      expect.stringMatching(/^should: expireAfter: .* at most 300/),
    ]);
  });

  it('ASVS 7.1.1 reads as Markdown', () => {
    const text = describePolicy(facts).toMarkdown();
    expect(text).toContain('| Ended after inactivity of | 600 (10 min) |');
    expect(text).toContain('| Ended at an age of | 28800 (8 h) |');
    expect(text).toContain('| Sessions of one user at once | 3, then end-oldest |');
    expect(text).toMatch(/\| NIST SP 800-63B-4, AAL3 \| .* \| none \|/);
    expect(text).toMatch(/high-value applications \| .* \| should: expireAfter: /);
  });

  it.each<[PresetName | null, boolean, string | null, string]>([
    [null, false, null, 'no'],
    ['pci-dss', false, null, 'no'],
    [null, true, 'not checked against any standard', 'yes; not checked against any standard'],
    [
      'pci-dss',
      true,
      'shortened to what the preset requires, not checked against what it recommends',
      'yes; shortened to what the preset requires, not checked against what it recommends',
    ],
  ])('ASVS 7.1.1 with preset %s and limits by request %s says whether those are checked', (...given) => {
    const [preset, limitsByRequest, limitsByRequestChecked, row] = given;
    const policy = describePolicy({ ...facts, preset, limitsByRequest });
    expect(policy).toMatchObject({ limitsByRequestChecked });
    expect(policy.toMarkdown()).toContain(`| Limits differ by request, user or role | ${row} |`);
    expect(policy.toMarkdown().includes('limits of the table above, not those by request')).toBe(
      limitsByRequest,
    );
  });
});
