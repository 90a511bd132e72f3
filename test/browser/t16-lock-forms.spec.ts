import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormPage, FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';

const NOTE = 'half a note';
const pages: Record<string, FormPage> = {
  note: {
    body: '<form method="post" action="/save" data-session-guard data-session-draft><textarea name="text"></textarea></form>',
  },
};

const enter = formsStage({ pages, security: { client: { onExpire: 'lock' } } });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;

/** A page with a note in it, whose session has run out on the real server. */
async function lockedNote(): Promise<void> {
  ({ desk, visitor, page } = await enter());
  await visitor.open('/page/note');
  await visitor.types('textarea', NOTE);
  desk.expireAll();
  await visitor.asks();
  await page.getByRole('alertdialog', { name: 'You have been signed out' }).waitFor();
}

const cameBack = () => page.evaluate(() => dispatchEvent(new Event('focus')));

describe('T16 with the real server', () => {
  test('T16 the same user finds the form as it was, guarded again, and offered nothing that is there already', async () => {
    await lockedNote();
    await visitor.signIn();
    await cameBack();
    await page.waitForFunction(() => document.body.checkVisibility());
    expect(await page.inputValue('textarea')).toBe(NOTE);
    await visitor.types('textarea', `${NOTE}, and more`);
    expect(visitor.news.filter(({ state }) => state === 'found')).toEqual([]);
    const question = page.waitForEvent('dialog');
    await page.close({ runBeforeUnload: true });
    expect((await question).type()).toBe('beforeunload');
    await (await question).accept();
  });

  test('T16 another user finds a fresh page, and no draft', async () => {
    await lockedNote();
    await visitor.signIn('ben');
    const loaded = page.waitForEvent('load');
    await cameBack();
    await loaded;
    expect(await page.inputValue('textarea')).toBe('');
    await page.waitForFunction(() => globalThis.sessionSecurity?.forms);
    expect(visitor.news.filter(({ state }) => state === 'found')).toEqual([]);
  });
});
