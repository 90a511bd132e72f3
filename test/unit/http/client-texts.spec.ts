import { describe, expect, test } from '@jest/globals';
import type { ClientFiles } from '../../../lib/http/client-files.js';
import { ClientTexts } from '../../../lib/http/client-texts.js';
import { type ClientOptions, SessionSecurityOptions } from '../../../lib/options/index.js';

const GERMAN = { lang: 'de', title: 'Sind Sie noch da?' };

function texts(header: string | undefined, client: ClientOptions = {}): Record<string, string> | null {
  const files = {
    ofType: () => [['de', { content: Buffer.from(JSON.stringify(GERMAN)) }]],
  } as unknown as ClientFiles;
  const options = Object.assign(new SessionSecurityOptions(), { client });
  const headers = header === undefined ? {} : { 'accept-language': header };
  return new ClientTexts(files, options).for({ method: 'GET', url: '/', headers });
}

describe('D5 the texts that the client gets', () => {
  test('D5 are those of the page or the browser, and none for English', () => {
    expect(texts('de-AT')).toEqual(GERMAN);
    expect(texts('gl,de;q=0.5')).toEqual(GERMAN);
    expect(texts('en-GB,de')).toBeNull();
    expect(texts('gl')).toBeNull();
    expect(texts(undefined)).toBeNull();
  });

  test('D5 are those of the option, whatever the browser asks for', () => {
    expect(texts('en', { language: 'de' })).toEqual(GERMAN);
    expect(texts('de', { language: 'en' })).toBeNull();
  });

  test("D4 are the application's own where it has some, for all languages or for one", () => {
    const client = { texts: { close: 'OK', de: { title: 'Hallo?' }, en: { title: 'Hello?' } } };
    expect(texts('de', client)).toEqual({ lang: 'de', title: 'Hallo?', close: 'OK' });
    expect(texts('en', client)).toEqual({ title: 'Hello?', close: 'OK' });
    expect(texts('fr', client)).toEqual({ title: 'Hello?', close: 'OK' });
  });

  test('D4 can be in a language that the package does not know', () => {
    const client = { texts: { gl: { title: 'Segues aí?' }, 'de-CH': { title: 'Noch da?' } } };
    expect(texts('gl', client)).toEqual({ lang: 'gl', title: 'Segues aí?' });
    expect(texts('de-CH', client)).toEqual({ lang: 'de', title: 'Noch da?' });
  });
});
