import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { ENGLISH as DIALOG_TEXTS } from '../../../client/dialog/texts.js';
import { ENGLISH as LOCK_TEXTS } from '../../../client/ending/texts.js';
import { diagnostics, PASSIVE_HEADER, SessionSecurityService } from '../../../lib/index.js';
import { PRESETS } from '../../../lib/policy/index.js';
import { settingsOf } from '../../../lib/redis/redis-activity-store.options.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The text below a heading, up to the next of its kind. */
function section(page: string, heading: string): string {
  const [, text] = `\n${read(page)}`.split(`\n## ${heading}\n`);
  expect(text).toBeDefined();
  return text!.split('\n## ')[0]!;
}

/** The cells of the tables in a text, without their headings. */
function rowsIn(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line, index) => !isRuler(line) && !isRuler(lines[index + 1] ?? ''))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}
const isRuler = (line: string): boolean => /^\|[ |:-]+\|$/.test(line);

/** What stands between backticks. */
const quotedIn = (text: string): string[] =>
  [...text.replace(/^```.+?^```$/gms, '').matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted!);

/** Names from the first column of a section's tables. */
const namesIn = (page: string, heading: string): string[] =>
  rowsIn(section(page, heading)).flatMap(([first]) => quotedIn(first!));

/** Name and default of each option in a section's table. */
const defaultsIn = (text: string): Record<string, string> =>
  Object.fromEntries(rowsIn(text).map(([name, value]) => [quotedIn(name!)[0], value]));

/** The members of an interface in the sources. */
function membersOf(path: string, name: string): string[] {
  const { statements } = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest);
  const found = statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  expect(found).toBeDefined();
  return found!.members.map((member) => (member.name as ts.Identifier).text);
}

/** All sources of a folder, as one text. */
function sourcesIn(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(join(folder, name)))
    .join('\n');
}

/** What a pattern's first group finds, once each and in order. */
const found = (text: string, pattern: RegExp): string[] =>
  sorted([...text.matchAll(pattern)].map(([, name]) => name!));
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('E5 on the server, the documentation lists', () => {
  test('E5 every option of the Redis store with its default', () => {
    const settings = Object.entries(settingsOf({ client: {} as never })).map(([name, value]) => [
      name,
      name === 'client' ? '' : `\`${inspect(value)}\``,
    ]);
    expect(defaultsIn(section('docs/redis.md', 'Options'))).toEqual(Object.fromEntries(settings));
  });

  test('E5 every preset', () => {
    const row = rowsIn(section('README.md', 'Options')).find(([name]) => name === '`preset`');
    expect(quotedIn(row![2]!)).toEqual(expect.arrayContaining(Object.keys(PRESETS)));
  });

  test('E5 every event', () => {
    const kinds = found(read('lib/events/session-event.ts'), /SessionEvent<'(\w+)'>/g);
    expect(kinds.length).toBeGreaterThan(3);
    expect(sorted(rowsIn(section('docs/server.md', 'Events')).map(([name]) => quotedIn(name!)[0]!))).toEqual(
      kinds,
    );
  });

  test('E5 every channel', () => {
    const channels = Object.values(diagnostics).map(({ name }) => String(name));
    expect(sorted(namesIn('docs/server.md', 'Watching it'))).toEqual(sorted(channels));
  });

  test('E5 everything that the service does', () => {
    const methods = Object.getOwnPropertyNames(SessionSecurityService.prototype).filter(
      (name) => name !== 'constructor',
    );
    const listed = namesIn('docs/server.md', 'The service').map((call) => call.split('(')[0]!);
    expect(sorted(listed)).toEqual(sorted(methods));
  });

  test('E5 every error code', () => {
    const codes = found(sourcesIn('lib'), /\bcode: '(\w+)'/g);
    expect(codes.length).toBeGreaterThan(3);
    const listed = rowsIn(section('docs/server.md', 'Answers')).flatMap(([, code]) => quotedIn(code!));
    expect(sorted(listed)).toEqual(codes);
  });

  test('E5 every header that is read or written', () => {
    const sources = sourcesIn('lib/http');
    const names = found(sources, /(?:setHeader\(|headers\[)'([\w-]+)'/g);
    const ahead = /PURPOSE_HEADERS = \[(.+)\]/.exec(sources)![1]!.replaceAll("'", '').split(', ');
    const used = [...names, ...ahead, PASSIVE_HEADER].map((name) => name.toLowerCase());
    const listed = namesIn('docs/wire.md', 'Headers and cookies').map((name) => name.toLowerCase());
    expect(sorted(listed)).toEqual(sorted(used));
  });

  test('E5 every cookie of its own', () => {
    const cookies = found(sourcesIn('lib/http'), /^const COOKIE = '([\w-]+)'/gm);
    expect(cookies).toHaveLength(1);
    expect(section('docs/wire.md', 'Headers and cookies')).toContain(`\`${cookies[0]}\``);
  });
});

describe('E5 in the browser, the documentation lists', () => {
  test('E5 every option with its default', () => {
    const defaults = [...read('lib/http/ping-answer.ts').matchAll(/(\w+): client\.\1 \?\? (.+),/g)];
    const options = membersOf('lib/options/session-security.options.ts', 'ClientOptions');
    const expected = options.map((name) => {
      const value = defaults.find(([, option]) => option === name)?.[2] ?? 'null';
      return [name, value === 'null' ? '–' : `\`${value}\``];
    });
    expect(defaults.length).toBeGreaterThan(3);
    expect(defaultsIn(section('docs/client.md', 'Options'))).toEqual(Object.fromEntries(expected));
  });

  test('E5 every event', () => {
    const events = membersOf('client/core/ports.ts', 'MonitorEvents');
    expect(sorted(namesIn('docs/client.md', 'Events'))).toEqual(sorted(events));
  });

  test('E5 every text', () => {
    const keys = Object.keys({ ...DIALOG_TEXTS, ...LOCK_TEXTS }).filter((key) => key !== 'lang');
    expect(quotedIn(section('docs/client.md', 'The words'))).toEqual(expect.arrayContaining(keys));
  });

  test('E5 every language', () => {
    const tags = readdirSync(join(root, 'client/locales')).map((name) => name.replace('.json', ''));
    const listed = /English, and ([^.]+?)\. The page/s.exec(section('docs/client.md', 'The words'))![1]!;
    expect(sorted(listed.split(/,\s+|\s+and\s+/))).toEqual(sorted(tags));
  });
});

describe('E5 on the wire, the documentation lists', () => {
  const examples = [...read('docs/wire.md').matchAll(/^```json\n(.+?)^```$/gms)].map(
    ([, text]) => JSON.parse(text!) as object,
  );

  test('E5 every field of an answer', () => {
    const fields = membersOf('lib/http/ping-answer.ts', 'SessionStatus');
    expect(Object.keys(examples[0]!)).toEqual(fields);
    expect(namesIn('docs/wire.md', 'The answer')).toEqual([...fields, 'drafts', 'client']);
  });

  test('E5 every start value', () => {
    expect(sorted(Object.keys(examples[1]!))).toEqual(
      sorted(membersOf('client/core/answer.ts', 'StartValues')),
    );
  });
});
