import { describe, expect, it } from '@jest/globals';
import { draftCipher } from '../../../../client/drafts/draft-cipher.js';
import {
  type Draft,
  isOver,
  LONGEST_LIFE_MS,
  savedAt,
  type SealedDraft,
} from '../../../../client/drafts/draft.js';
import { readContent, writeContent } from '../../../../client/drafts/draft-content.js';
import { KeptFile } from '../../../../client/drafts/kept-file.js';

const ANNA = Buffer.alloc(32, 'a').toString('base64url');
const BEN = Buffer.alloc(32, 'b').toString('base64url');
const NOW = Date.UTC(2026, 2, 29, 1);

const draftWith = (text: string): Draft => ({
  owner: 'session-1',
  savedAt: NOW,
  fields: [{ name: 'note', value: { text } }],
});

describe('F4 a sealed draft', () => {
  it('is opened by the same key, on whichever page was given it', async () => {
    const sealed = await (await draftCipher(ANNA)).seal(draftWith('ünïcode 🙂'), '/note', 'life');
    expect(await (await draftCipher(ANNA)).open(sealed, NOW)).toEqual(draftWith('ünïcode 🙂'));
  });

  it('is not opened by the key of another user', async () => {
    const sealed = await (await draftCipher(ANNA)).seal(draftWith('secret'), '/note', 'life');
    expect(await (await draftCipher(BEN)).open(sealed, NOW)).toBeUndefined();
  });

  it('stands under marks that differ by user and by page, and tell neither', async () => {
    const [anna, ben] = [await draftCipher(ANNA), await draftCipher(BEN)];
    expect(anna.user).toBe((await draftCipher(ANNA)).user);
    const marks = [anna.user, ben.user];
    for (const cipher of [anna, ben])
      for (const page of ['/note', '/note?patient=7', 'user', '']) marks.push(await cipher.markOf(page));
    expect(new Set(marks).size).toBe(marks.length);
    for (const mark of marks) expect(mark).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect((await anna.seal(draftWith(''), '/note', 'life')).page).toBe(await anna.markOf('/note'));
  });

  it('is another one each time, with a nonce of its own', async () => {
    const cipher = await draftCipher(ANNA);
    const [first, second] = [
      await cipher.seal(draftWith('same'), '/note', 'life'),
      await cipher.seal(draftWith('same'), '/note', 'life'),
    ];
    expect(Buffer.from(first.nonce)).not.toEqual(Buffer.from(second.nonce));
    expect(Buffer.from(first.content)).not.toEqual(Buffer.from(second.content));
  });

  it.each<[string, (sealed: SealedDraft) => Partial<SealedDraft>]>([
    ['another user', () => ({ user: 'x' })],
    ['another page', () => ({ page: 'x' })],
    ['another life', () => ({ document: 'x' })],
    ['another end', ({ expiresAt }) => ({ expiresAt: expiresAt - 1 })],
    ['another nonce', () => ({ nonce: new Uint8Array(12) })],
    ['another content', ({ content }) => ({ content: content.slice(1) })],
    ['no content', () => ({ content: new ArrayBuffer(0) })],
  ])('cannot be given %s', async (_what, change) => {
    const cipher = await draftCipher(ANNA);
    const sealed = await cipher.seal(draftWith('text'), '/note', 'life');
    expect(await cipher.open({ ...sealed, ...change(sealed) }, NOW)).toBeUndefined();
  });

  it('cannot be opened from the end of its hour on, and not when it claims to live longer', async () => {
    const cipher = await draftCipher(ANNA);
    const sealed = await cipher.seal(draftWith('text'), '/note', 'life');
    expect(await cipher.open(sealed, NOW + LONGEST_LIFE_MS - 1)).toBeDefined();
    expect(await cipher.open(sealed, NOW + LONGEST_LIFE_MS)).toBeUndefined();
    expect(await cipher.open(sealed, NOW - 1)).toBeUndefined();
  });
});

describe('F4 an hour at most', () => {
  it.each([
    [1, false],
    [LONGEST_LIFE_MS, false],
    [0, true],
    [-1, true],
    [LONGEST_LIFE_MS + 1, true],
    [NaN, true],
    [Infinity, true],
  ])('a draft that expires in %d ms is over: %s', (left, over) => {
    expect(isOver({ expiresAt: NOW + left }, NOW)).toBe(over);
  });

  it('is counted from when it was saved', async () => {
    const sealed = await (await draftCipher(ANNA)).seal(draftWith(''), '/note', 'life');
    expect(savedAt(sealed)).toBe(NOW);
  });
});

describe('F4 the content of a draft', () => {
  it('comes back as it was, files in their places', () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text)).buffer;
    const draft: Draft = {
      ...draftWith('text'),
      fields: [
        { name: 'one', value: { files: [new KeptFile('a.txt', 'text/plain', 7, bytes('first'))] } },
        { name: 'flag', value: { checked: true } },
        {
          name: 'two',
          value: { files: [new KeptFile('b', '', 8, bytes('')), new KeptFile('c', '', 9, bytes('third'))] },
        },
        { name: 'rich', value: { nodes: ['a', ['a', 'https://example.org/', ['b']]] } },
        { name: 'many', value: { selected: ['a', 'c'] } },
      ],
    };
    const read = readContent(writeContent(draft).buffer);
    expect(read).toEqual(draft);
    const files = read.fields.flatMap(({ value }) => ('files' in value ? value.files : []));
    expect(files.map(({ content }) => Buffer.from(content).toString())).toEqual(['first', '', 'third']);
  });

  it('is of a length that tells little', () => {
    const lengthOf = (text: string) => writeContent(draftWith(text)).length;
    expect(lengthOf('')).toBe(1024);
    expect(lengthOf('x'.repeat(800))).toBe(1024);
    expect(lengthOf('x'.repeat(1024)) % 1024).toBe(0);
  });
});
