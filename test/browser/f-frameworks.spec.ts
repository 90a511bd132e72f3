import { describe, expect, test } from '@jest/globals';
import type { FormPage, FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';

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

const enter = formsStage({ pages });
let desk: FormsDesk;
let visitor: Visitor;

async function open(path: string): Promise<void> {
  ({ desk, visitor } = await enter());
  await visitor.open(path);
}

async function expireAndReturn(path: string): Promise<void> {
  desk.expireAll();
  await visitor.comesBack(path);
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
  test.each([
    // The application writes the title in capitals.
    { framework: 'React', path: '/page/react', title: 'A TITLE' },
    { framework: 'Vue', path: '/page/vue', title: 'a title' },
  ])('$framework takes what is put back into its state, and goes on from there', async ({ path, title }) => {
    await open(path);
    await fillIn();
    await expireAndReturn(path);
    await visitor.button('Put it back').click();
    await visitor.hears('restored');

    expect(await known()).toEqual({ title, text: 'a text', ward: 'b', urgent: true, way: 'right' });
    await visitor.page.focus('[name=text]');
    await visitor.page.keyboard.press('End');
    await visitor.page.keyboard.insertText(' and more');
    expect(await known()).toMatchObject({ text: 'a text and more' });
    expect(await visitor.page.inputValue('[name=title]')).toBe(title);
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
