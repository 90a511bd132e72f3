import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../support/client/chromium.js';
import { FormsDesk, type FormPage, type Visitor } from '../support/forms-desk.js';

jest.setTimeout(30_000);

const page = (module: string): FormPage => ({ tag: { drafts: true }, body: '<main></main>', module });
const pages: Record<string, FormPage> = {
  react: page('react-form.ts'),
  vue: page('vue-form.ts'),
  automatic: { tag: { drafts: 'automatic' }, body: '<main></main>', module: 'react-form.ts' },
  module: {
    tag: false,
    body: '<form method="post" action="/save"><textarea name="text"></textarea></form>',
    module: 'module-client.ts',
  },
};

let browser: Browser;
let desk: FormsDesk;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launchChromium();
  desk = await FormsDesk.open({ pages });
});
afterEach(() => visitor.context.close());
afterAll(async () => {
  await browser.close();
  await desk.close();
});

async function open(path: string): Promise<void> {
  visitor = await desk.signedIn(browser);
  await visitor.open(path);
}

async function expireAndReturn(path: string): Promise<void> {
  desk.expireAll();
  await visitor.findsItsEnd();
  visitor.news.length = 0;
  await visitor.signIn();
  await visitor.open(path);
}

/** What the framework knows of its fields. */
async function known(): Promise<Record<string, unknown>> {
  return JSON.parse((await visitor.page.textContent('output'))!) as Record<string, unknown>;
}

async function fillIn(): Promise<void> {
  const { page } = visitor;
  await page.selectOption('[name=ward]', 'b');
  await page.check('[name=urgent]');
  await page.check('[value=right]');
  await page.fill('[name=title]', 'a title');
  await visitor.types('[name=text]', 'a text');
}

describe('F4 fields that a framework controls', () => {
  test('React takes what is put back into its state, and goes on from there', async () => {
    await open('/page/react');
    await fillIn();
    await expireAndReturn('/page/react');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');

    expect(await known()).toEqual({
      title: 'A TITLE',
      text: 'a text',
      ward: 'b',
      urgent: true,
      way: 'right',
    });
    await visitor.page.focus('[name=text]');
    await visitor.page.keyboard.press('End');
    await visitor.page.keyboard.insertText(' and more');
    expect(await known()).toMatchObject({ text: 'a text and more' });
    expect(await visitor.page.inputValue('[name=title]')).toBe('A TITLE');
  });

  test('Vue takes what is put back into its state, and goes on from there', async () => {
    await open('/page/vue');
    await fillIn();
    await expireAndReturn('/page/vue');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');

    expect(await known()).toEqual({
      title: 'a title',
      text: 'a text',
      ward: 'b',
      urgent: true,
      way: 'right',
    });
    await visitor.page.focus('[name=text]');
    await visitor.page.keyboard.press('End');
    await visitor.page.keyboard.insertText(' and more');
    expect(await known()).toMatchObject({ text: 'a text and more' });
  });

  test('fields that are built after the draft was found are waited for', async () => {
    await open('/page/automatic');
    await fillIn();
    let build = (): void => {};
    const built = new Promise<void>((resolve) => (build = resolve));
    await visitor.page.route('**/module/react-form.ts', async (route) => {
      await built;
      await route.continue();
    });
    desk.expireAll();
    await visitor.findsItsEnd();
    visitor.news.length = 0;
    await visitor.signIn();
    // The client runs before the page's own script, whose answer is held up.
    await visitor.page.goto('/page/automatic', { waitUntil: 'commit' });
    build();
    await visitor.hears('restored');
    await visitor.page.waitForFunction(() =>
      document.querySelector('output')?.textContent?.includes('a text'),
    );
    expect(await known()).toMatchObject({ title: 'A TITLE', ward: 'b', urgent: true, way: 'right' });
  });
});

describe('F4 as a module', () => {
  test('keeps, offers in the own words of the application, and puts back', async () => {
    await open('/page/module');
    const { page } = visitor;
    await visitor.types('textarea', 'A note');
    await expireAndReturn('/page/module');
    await visitor.button('Bring it back').click();
    await visitor.hears('restored');
    expect(await page.inputValue('textarea')).toBe('A note');
  });

  test('keepForms() twice is one keeper', async () => {
    await open('/page/module');
    expect(await visitor.page.getAttribute('html', 'data-keepers')).toBe('1');
  });
});
