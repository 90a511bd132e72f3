import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/client/chromium.js';
import { startHostPage } from '../support/host-page.js';

const contentSecurityPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'";

let browser: Browser;
let application: NestExpressApplication;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(async () => {
  await context.close();
  await application.close();
});
afterAll(() => browser.close());

/** A warned page in this language, in a browser that prefers another. */
async function warned(language: string, locale: string): Promise<Page> {
  application = await startHostPage({ contentSecurityPolicy, language }, { warnAfter: 1, expireAfter: 61 });
  context = await browser.newContext({ baseURL: await application.getUrl(), locale });
  const page = await context.newPage();
  await page.goto('/sign-in');
  await page.getByRole('alertdialog').waitFor();
  return page;
}

/** What a reader gets to see. */
const shown = (page: Page) =>
  page.evaluate(() => {
    const host = document.querySelector<HTMLElement>('session-security-dialog')!;
    const text = (id: string) => host.shadowRoot!.getElementById(id)!.textContent;
    const dialog = host.shadowRoot!.querySelector('dialog')!;
    const buttons = [...dialog.querySelectorAll('button')].map((button) => button.getBoundingClientRect().x);
    return {
      lang: host.lang,
      direction: getComputedStyle(dialog).direction,
      stayIsFirst: buttons[0]! < buttons[1]!,
      texts: ['title', 'message', 'status', 'stay', 'sign-out'].map(text),
    };
  });

describe('D5 the dialog speaks the language of the page', () => {
  test('D5 Arabic, from right to left', async () => {
    expect(await shown(await warned('ar-EG', 'en-US'))).toEqual({
      lang: 'ar',
      direction: 'rtl',
      stayIsFirst: false,
      texts: [
        'هل ما زلت هنا؟',
        'قد تفقد ما لم يتم حفظه.',
        'سيتم تسجيل خروجك خلال دقيقة واحدة.',
        'البقاء مسجّل الدخول',
        'تسجيل الخروج الآن',
      ],
    });
  });

  test('D5 German for Austria', async () => {
    expect(await shown(await warned('de-AT', 'en-US'))).toEqual({
      lang: 'de',
      direction: 'ltr',
      stayIsFirst: true,
      texts: [
        'Sind Sie noch da?',
        'Was nicht gespeichert ist, kann verloren gehen.',
        'Sie werden in 1 Minute abgemeldet.',
        'Angemeldet bleiben',
        'Jetzt abmelden',
      ],
    });
  });

  test('D5 Japanese', async () => {
    const { lang, texts } = await shown(await warned('ja', 'en-US'));
    expect(lang).toBe('ja');
    expect(texts[2]).toBe('1 分後に自動的にサインアウトします。');
  });

  test('D5 or that of the browser when the page names none', async () => {
    expect((await shown(await warned('', 'pt-AO'))).lang).toBe('pt-PT');
  });

  test('D5 or English when it has no other, also when the page names nonsense', async () => {
    const { lang, texts } = await shown(await warned('日本 語, ;q=\n', 'de-DE'));
    expect(lang).toBe('en');
    expect(texts[2]).toBe('You will be signed out in 1 minute.');
  });
});
