import { beforeAll, describe, expect, test } from '@jest/globals';
import { spokenTime } from '../../../client/dialog/countdown.js';
import { englishTexts, problemsIn, readLanguages } from '../../../scripts/client-languages.mjs';

type Texts = Record<string, string>;

let languages: Map<string, Texts>;
let english: Texts;

beforeAll(async () => {
  languages = await readLanguages();
  english = await englishTexts();
});

describe('D5 the languages', () => {
  test.each('ca cs de es fr it nl pl pt-BR pt-PT ja zh-Hans ar sv tr'.split(' '))('D5 %s is there', (tag) => {
    expect(languages.get(tag)?.['lang']).toBe(tag);
  });

  test('D5 every text is there in every language, and only Arabic and Hebrew run from right to left', () => {
    for (const [tag, texts] of languages) expect(problemsIn(texts, tag, english)).toEqual([]);
    const fromTheRight = [...languages].filter(([, { dir }]) => dir === 'rtl').map(([tag]) => tag);
    expect(fromTheRight).toEqual(['ar', 'he']);
  });

  test('D5 no text is left in English or said twice in one language', () => {
    for (const texts of languages.values()) {
      const said = Object.keys(english)
        .filter((key) => key !== 'dir')
        .map((key) => texts[key]);
      expect(new Set(said).size).toBe(said.length);
      expect(said.filter((text) => Object.values(english).includes(text!))).toEqual([]);
    }
  });

  test('D5 the browser has the plural forms of every language', () => {
    for (const tag of languages.keys()) {
      const format = new Intl.RelativeTimeFormat(tag);
      expect(format.resolvedOptions().locale).toBe(tag);
      expect(new Set([300, 120, 60, 20].map(spokenTime(format))).size).toBe(4);
    }
  });

  test('D5 a language with a missing, unknown or timeless text stops the build', () => {
    const broken = { ...english, lang: 'xx', dir: 'down', stay: ' ', time: 'Soon.', colour: 'red' };
    expect(problemsIn(broken, 'yy', english)).toEqual([
      '"stay" is missing',
      '"colour" is no text of the client',
      '"time" has {time} where English has none, or none where English has it',
      '"lang" is not "yy"',
      '"dir" is neither "ltr" nor "rtl"',
    ]);
  });
});
