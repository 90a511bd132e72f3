import { describe, expect, it } from '@jest/globals';
import { judge, limitProblems, NEVER } from '../../../lib/policy/index.js';

const LIMITS = { warnAfter: 5, expireAfter: 10 };
const at = (lastActivityAt: number, startedAt = 0) => ({ startedAt, lastActivityAt });

describe('the verdict', () => {
  it.each([
    [0, 'active'],
    [4_999, 'active'],
    [5_000, 'warning'],
    [9_999, 'warning'],
    [10_000, 'expired'],
    [1e12, 'expired'],
  ])('S2 idle for %i ms is %s', (now, phase) => {
    expect(judge(LIMITS, at(0), now)).toMatchObject({
      phase,
      reason: 'idle',
      warnAt: 5_000,
      expireAt: 10_000,
    });
  });

  it.each([1, 3_600, 86_400])('S7 a stamp %i s in the future counts as now', (ahead) => {
    expect(judge(LIMITS, at(1_000 + ahead * 1_000), 1_000)).toEqual({
      phase: 'active',
      reason: 'idle',
      warnAt: 6_000,
      expireAt: 11_000,
      lastActivityAt: 1_000,
    });
  });

  it('S20 the lifetime ends a session that is active, and warns as long before as the idle limit does', () => {
    const limits = { ...LIMITS, maxLifetime: 30 };
    expect(judge(limits, at(24_000), 24_000)).toMatchObject({
      phase: 'active',
      reason: 'lifetime',
      warnAt: 25_000,
    });
    expect(judge(limits, at(25_000), 25_000)).toMatchObject({ phase: 'warning', reason: 'lifetime' });
    expect(judge(limits, at(29_999), 30_000)).toMatchObject({
      phase: 'expired',
      reason: 'lifetime',
      expireAt: 30_000,
    });
  });

  it('S20 a start in the future does not lengthen the lifetime beyond now + maxLifetime', () => {
    expect(judge({ ...LIMITS, maxLifetime: 30 }, at(0, 99_000), 1_000).expireAt).toBe(10_000);
    expect(judge({ ...LIMITS, maxLifetime: 30 }, at(25_000, 99_000), 25_000).expireAt).toBe(35_000);
  });

  it('S13 an exempt session has no deadline', () => {
    expect(judge(NEVER, at(0), 1e15)).toMatchObject({
      phase: 'active',
      warnAt: Infinity,
      expireAt: Infinity,
    });
  });
});

describe('limit problems', () => {
  it.each([
    [{ warnAfter: 5, expireAfter: 10 }, []],
    [{ warnAfter: 5, expireAfter: 10, maxLifetime: null }, []],
    [{ warnAfter: 10, expireAfter: 10 }, ['warnAfter (10) must be less than expireAfter (10)']],
    [
      { warnAfter: 5, expireAfter: 10, maxLifetime: 9 },
      ['maxLifetime (9) must not be less than expireAfter (10)'],
    ],
    [
      { warnAfter: 0, expireAfter: NaN },
      [/^warnAfter must be a positive/, /^expireAfter must be a positive/],
    ],
    [
      { warnAfter: '5' as unknown as number, expireAfter: -1 },
      [/but is "5", a text: write Number/, /but is -1$/],
    ],
  ])('S14 of %j', (limits, problems) => {
    const found = limitProblems(limits);
    expect(found).toEqual(
      problems.map((problem) => (typeof problem === 'string' ? problem : expect.stringMatching(problem))),
    );
  });
});
