import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';

const body = `<form method="post" action="/save" enctype="multipart/form-data" data-session-draft>
  <input type="file" name="scans" multiple><input type="file" name="letter"><input name="title"></form>`;
const MEBIBYTE = 1024 * 1024;

const enter = formsStage({ pages: { files: { body } } });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;

async function open(): Promise<void> {
  ({ desk, visitor, page } = await enter());
  await visitor.open('/page/files');
}

async function expireAndRestore(): Promise<void> {
  desk.expireAll();
  await visitor.comesBack('/page/files');
  await visitor.button('Put it back').click();
  await visitor.hears('restored');
}

const file = (name: string, content: Buffer, mimeType = 'text/plain') => ({
  name,
  mimeType,
  buffer: content,
});

function filesIn(name: string): Promise<{ name: string; type: string; size: number; text: string }[]> {
  return page.$eval(`[name=${name}]`, async (input) =>
    Promise.all(
      [...(input as HTMLInputElement).files!].map(async (chosen) => ({
        ...{ name: chosen.name, type: chosen.type, size: chosen.size },
        text: chosen.size < 100 ? await chosen.text() : '',
      })),
    ),
  );
}

describe('F4 files', () => {
  test('that were chosen are chosen again, with name, type and content', async () => {
    await open();
    await page.setInputFiles('[name=scans]', [
      file('first scan.txt', Buffer.from('first')),
      file('second.bin', Buffer.from([0, 255, 128]), 'application/octet-stream'),
    ]);
    await visitor.types('[name=title]', 'Two scans');
    expect(await visitor.rest()).not.toContain('first');
    await expireAndRestore();

    expect(await filesIn('scans')).toMatchObject([
      { name: 'first scan.txt', type: 'text/plain', text: 'first' },
      { name: 'second.bin', type: 'application/octet-stream', size: 3 },
    ]);
    const bytes = await page.$eval('[name=scans]', async (input) => [
      ...new Uint8Array(await (input as HTMLInputElement).files![1]!.arrayBuffer()),
    ]);
    expect(bytes).toEqual([0, 255, 128]);
    expect(await page.inputValue('[name=title]')).toBe('Two scans');
  });

  test('beyond 5 MiB together are left out, and everything else is kept', async () => {
    await open();
    await page.setInputFiles('[name=scans]', [
      file('small.txt', Buffer.from('small')),
      file('large.bin', Buffer.alloc(4 * MEBIBYTE)),
    ]);
    await page.setInputFiles('[name=letter]', file('too much.bin', Buffer.alloc(2 * MEBIBYTE)));
    await visitor.types('[name=title]', 'Too much');
    await expireAndRestore();

    expect((await filesIn('scans')).map(({ name, size }) => [name, size])).toEqual([
      ['small.txt', 5],
      ['large.bin', 4 * MEBIBYTE],
    ]);
    expect(await filesIn('letter')).toEqual([]);
    expect(await page.inputValue('[name=title]')).toBe('Too much');
  });
});
