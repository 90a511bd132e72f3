import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormPage, FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';

const NOTE = 'Mrs Lindqvist was moved to ward seven';
const form = `<main><h1>Notes</h1><form method="post" action="/save"><label>Note <textarea name="text"></textarea></label>
  <div id="rich" contenteditable="true" role="textbox" aria-label="Rich"></div><button>Save</button></form></main>`;
const SELF = "default-src 'none'; script-src 'self'; connect-src 'self'";
const pages: Record<string, FormPage> = {
  self: { tag: { drafts: true, guard: true }, body: form, contentSecurityPolicy: SELF },
  nonce: {
    tag: { drafts: true, guard: true, nonce: 'r4nd0m' },
    body: form,
    contentSecurityPolicy:
      "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; connect-src 'self'",
  },
  trusted: {
    tag: { drafts: true, guard: true },
    body: form,
    contentSecurityPolicy: `${SELF}; require-trusted-types-for 'script'; trusted-types 'none'`,
  },
  none: { body: form },
  french: { tag: { drafts: true }, body: form, lang: 'fr' },
  arabic: { tag: { drafts: true }, body: form, lang: 'ar' },
};

const enter = formsStage({ pages });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;
let complaints: string[];

async function open(path: string, prepare?: () => void, identify = true): Promise<void> {
  ({ desk, visitor, page } = await enter(identify ? undefined : { identify: () => undefined }));
  complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  if (prepare) await page.addInitScript(prepare);
  await visitor.open(path);
}

async function expireAndReturn(path: string): Promise<void> {
  desk.expireAll();
  await visitor.comesBack(path);
}

describe('E1', () => {
  test.each(['self', 'nonce', 'trusted'])(
    'drafts are kept, offered and put back under the policy "%s"',
    async (name) => {
      await open(`/page/${name}`);
      await page.locator('#rich').click();
      await page.keyboard.insertText('Rich');
      await visitor.types('textarea', NOTE);
      await expireAndReturn(`/page/${name}`);
      const bar = visitor.bar().locator('section');
      await bar.waitFor();
      // Nothing else gives it a border: the style sheet was taken.
      expect(await bar.evaluate((element) => getComputedStyle(element).borderBlockEndWidth)).toBe('2px');
      await visitor.button('Put it back').click();
      await visitor.hears('restored');
      expect(await page.inputValue('textarea')).toBe(NOTE);
      expect(await page.innerText('#rich')).toBe('Rich');
      expect(complaints).toEqual([]);
    },
  );

  test('the script of drafts is loaded by pages that ask for it, and by no others', async () => {
    await open('/lobby');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await visitor.open('/page/none');
    await page.waitForLoadState('networkidle');
    expect(asked).not.toContain('/session-security/client/drafts.js');
    await visitor.open('/page/self');
    await page.waitForLoadState('networkidle');
    expect(asked).toContain('/session-security/client/drafts.js');
  });
});

describe('F4 where there can be no drafts', () => {
  const works = async (): Promise<void> => {
    await page.fill('textarea', NOTE);
    await page.click('form button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toMatchObject([{ text: NOTE }]);
    expect(complaints).toEqual([]);
    expect(visitor.news.filter(({ state }) => state === 'unavailable')).toHaveLength(1);
  };

  test('plain http, which has no WebCrypto, is told of once, and the page works', async () => {
    await open('/page/none', () => Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined }));
    expect(visitor.news).toEqual([]);
    await visitor.open('/page/self');
    expect(await visitor.hears('unavailable')).toEqual({ state: 'unavailable', reason: 'insecure' });
    await works();
  });

  test('a browser that gives no storage is told of once, and the page works', async () => {
    await open('/page/self', () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('No storage', 'SecurityError');
      };
    });
    expect(await visitor.hears('unavailable')).toEqual({ state: 'unavailable', reason: 'storage' });
    await works();
  });

  test('a user without an id is told of once, and the page works', async () => {
    await open('/page/self', undefined, false);
    expect(await visitor.hears('unavailable')).toEqual({ state: 'unavailable', reason: 'no-user' });
    await works();
  });

  test('on a page for nobody nothing is done and nothing is said', async () => {
    await open('/page/self');
    await visitor.context.clearCookies();
    visitor.news.length = 0;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await visitor.open('/page/self');
    await page.fill('textarea', NOTE);
    await page.waitForLoadState('networkidle');
    expect(asked.filter((url) => url.includes('ping'))).toHaveLength(1);
    expect(visitor.news).toEqual([]);
    expect(await visitor.drafts()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('a lost first answer is asked for again when somebody types', async () => {
    await open('/page/none');
    await page.route('**/session-security/ping?start=1&drafts=1*', (route) => route.abort(), { times: 1 });
    await visitor.open('/page/self');
    await page.waitForLoadState('networkidle');
    await visitor.types('textarea', NOTE);
    expect(await visitor.drafts()).toBe(1);
  });
});

describe('F4 the offer', () => {
  async function offer(): Promise<void> {
    await open('/page/self');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/self');
    await visitor.hears('found');
  }

  test('is announced, comes first in the order of the keyboard, and takes no focus', async () => {
    await offer();
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    await visitor.bar().getByRole('status').getByText('has been kept').waitFor();
    const names = [];
    for (let step = 0; step < 3; step++) {
      await page.keyboard.press('Tab');
      names.push(
        await page.evaluate(() => {
          const { activeElement } = document;
          return (
            (activeElement?.shadowRoot?.activeElement ?? activeElement)?.textContent ||
            activeElement?.localName
          );
        }),
      );
    }
    expect(names).toEqual(['Put it back', 'Discard it', 'textarea']);
  });

  test.each([
    ['french', 'La rétablir', 'ltr'],
    ['arabic', 'استعادة ما أدخلته', 'rtl'],
  ])('speaks the language of the page (%s)', async (name, restore, direction) => {
    await open(`/page/${name}`);
    await visitor.types('textarea', NOTE);
    await expireAndReturn(`/page/${name}`);
    const bar = visitor.bar();
    await visitor.button(restore).waitFor();
    expect(await bar.evaluate((element) => getComputedStyle(element).direction)).toBe(direction);
    // Beside the text or below it, its buttons stay together.
    for (const width of [420, 460, 500, 540, 580, 620]) {
      await page.setViewportSize({ width, height: 600 });
      const tops = await bar
        .getByRole('button')
        .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().top));
      expect([width, tops[1]]).toEqual([width, tops[0]]);
    }
    await visitor.button(restore).click();
    expect(await page.inputValue('textarea')).toBe(NOTE);
  });

  test('has nothing that axe would find', async () => {
    await offer();
    await visitor.bar().getByRole('status').getByText('has been kept').waitFor();
    // Not as a script in the page, which its policy would refuse.
    await page.evaluate(readFileSync('node_modules/axe-core/axe.min.js', 'utf8'));
    const violations = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } };
      return (await axe.run()).violations.map(({ id }) => id);
    });
    expect(violations).toEqual([]);
  });

  test('can be answered by the keyboard alone, which is not left nowhere', async () => {
    await offer();
    await page.focus('textarea');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await visitor.hears('restored');
    await visitor.bar().getByRole('status').getByText('is back').waitFor();
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent)).toBe(
      'Close',
    );
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('textarea');
    expect(await page.inputValue('textarea')).toBe(NOTE);
  });
});
