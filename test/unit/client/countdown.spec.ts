import { describe, expect, test } from '@jest/globals';
import { clockText, spokenTime } from '../../../client/dialog/countdown.js';

const english = new Intl.RelativeTimeFormat('en');

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

  test('D3 speaks at whole minutes, then at 60, 40 and 20 seconds', () => {
    const words = spokenTime(english);
    const spoken = new Map(
      Array.from({ length: 201 }, (_, left) => [words(200 - left), 200 - left] as const).reverse(),
    );
    expect([...spoken].reverse()).toEqual([
      ['in 4 minutes', 200],
      ['in 3 minutes', 180],
      ['in 2 minutes', 120],
      ['in 1 minute', 60],
      ['in 40 seconds', 40],
      ['in 20 seconds', 20],
    ]);
  });

  test.each([0, 9, 19, 33])(
    'D1 a warning that comes %i s before the end says so, and goes on in steps',
    (left) => {
      const words = spokenTime(english);
      expect(words(left)).toBe(`in ${left} seconds`);
      const next = Array.from({ length: left }, (_, passed) => words(left - passed - 1));
      expect([...new Set(next)]).toEqual(left > 20 ? ['in 33 seconds', 'in 20 seconds'] : next.slice(0, 1));
    },
  );

  test('D1 a machine that wakes in the warning is told what is left', () => {
    const words = spokenTime(english);
    expect([300, 38, 37, 7, 6].map(words)).toEqual([
      'in 5 minutes',
      'in 38 seconds',
      'in 38 seconds',
      'in 7 seconds',
      'in 7 seconds',
    ]);
  });

  test.each([
    ['en', 60, 'in 1 minute'],
    ['en', 120, 'in 2 minutes'],
    ['en', 59, 'in 1 minute'],
    ['de', 120, 'in 2 Minuten'],
    ['cs', 120, 'za 2 minuty'],
    ['cs', 300, 'za 5 minut'],
    ['pl', 120, 'za 2 minuty'],
    ['ar', 120, 'خلال دقيقتين'],
    ['ja', 20, '20 秒後'],
    ['tr', 60, '1 dakika sonra'],
  ])('D5 in %s, %i s are "%s"', (language, seconds, words) => {
    expect(spokenTime(new Intl.RelativeTimeFormat(language))(seconds)).toBe(words);
  });
});
