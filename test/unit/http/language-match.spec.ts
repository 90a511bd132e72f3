import { describe, expect, jest, test } from '@jest/globals';
import { acceptedLanguages, closestLanguage } from '../../../lib/http/language-match.js';

const OFFERED = ['ar', 'de', 'en', 'es', 'nb', 'pt-BR', 'pt-PT', 'zh-Hans', 'zh-Hant'];

describe('D5 the language of the reader', () => {
  test.each([
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE_ch', 'de'],
    ['es-419', 'es'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-PT'],
    ['pt-AO', 'pt-PT'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-TW', 'zh-Hant'],
    ['zh-HK', 'zh-Hant'],
    ['ar-EG', 'ar'],
    ['no', 'nb'],
    ['nn-NO', 'nb'],
    ['en-GB', 'en'],
    ['gl', undefined],
    ['de-Cyrl', undefined],
    ['', undefined],
    ['*', undefined],
    ['../../etc/passwd', undefined],
    ['__proto__', undefined],
  ])('D5 who reads "%s" gets %s', (wanted, language) => {
    expect(closestLanguage(wanted, OFFERED)).toBe(language);
  });

  test('D5 what is offered is worked out once, not for each language that somebody asks for', () => {
    closestLanguage('de', OFFERED);
    const maximize = jest.spyOn(Intl.Locale.prototype, 'maximize');
    closestLanguage('sv-FI', OFFERED);
    const workedOut = maximize.mock.calls.length;
    maximize.mockRestore();
    expect(workedOut).toBe(1);
  });

  test.each([
    ['de-AT,de;q=0.9,en;q=0.8', ['de-AT', 'de', 'en']],
    ['en;q=0.1, fr;q=0.5 ,it', ['it', 'fr', 'en']],
    ['de,en', ['de', 'en']],
    ['de;q=0, *;q=0.5', ['*']],
    ['de;q=high,en', ['en']],
    [undefined, []],
    ['', []],
    [',,;q=1', []],
  ])('D5 "%s" asks for %j', (header, languages) => {
    expect(acceptedLanguages(header)).toEqual(languages);
  });

  test('D5 a header of any length is read up to its twentieth language', () => {
    expect(acceptedLanguages(`${'xx,'.repeat(10_000)}de`)).toHaveLength(20);
  });
});
