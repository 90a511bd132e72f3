import { describe, expect, test } from '@jest/globals';
import { clockText, spokenSeconds, timeFormat } from '../../../client/dialog/countdown.js';

describe('D3 the countdown', () => {
  test.each([
    [0, '0:00'],
    [5, '0:05'],
    [59, '0:59'],
    [60, '1:00'],
    [605, '10:05'],
    [3661, '61:01'],
  ])('D1 %i s are shown as %s', (seconds, text) => {
    expect(clockText(seconds)).toBe(text);
  });

  test('D3 speaks at whole minutes, then at 60, 40 and 20 seconds, and never less', () => {
    const spoken = Array.from({ length: 201 }, (_, passed) => spokenSeconds(200 - passed));
    expect([...new Set(spoken)]).toEqual([240, 180, 120, 60, 40, 20]);
    for (const [passed, seconds] of spoken.entries()) expect(seconds).toBeGreaterThanOrEqual(200 - passed);
  });

  test.each([
    ['en', 60, 'in 1 minute'],
    ['en', 120, 'in 2 minutes'],
    ['en', 33, 'in 40 seconds'],
    ['de', 120, 'in 2 Minuten'],
    ['cs', 120, 'za 2 minuty'],
    ['cs', 300, 'za 5 minut'],
    ['pl', 120, 'za 2 minuty'],
    ['ar', 120, 'خلال دقيقتين'],
    ['ja', 20, '20 秒後'],
    ['tr', 60, '1 dakika sonra'],
  ])('D5 in %s, %i s are "%s"', (language, seconds, words) => {
    expect(timeFormat(language)(seconds)).toBe(words);
  });
});
