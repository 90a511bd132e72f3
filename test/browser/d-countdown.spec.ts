import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;

/** A page with a countdown; the element comes before the client has started, or after. */
async function open(body: string): Promise<Page> {
  ({ server, context, pass } = await openStage({ warnAfter: 60, expireAfter: 120 }, { bypassCSP: true }));
  await context.clock.install();
  server.session.client = { dismiss: 'button' };
  server.pages.set('/', { body });
  const page = await context.newPage();
  await page.goto('/');
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
  await loadModule(page, 'client/countdown.ts', 'countdown');
  return page;
}

const warned = async (page: Page) => {
  await pass(60);
  await page.getByRole('alertdialog').waitFor();
};
const stay = async (page: Page) => {
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
};

describe('D7 a countdown anywhere in the page', () => {
  test('D7 counts down with the dialog, is hidden without a warning, and is no live region', async () => {
    const page = await open('<main>Left: <session-countdown></session-countdown></main>');
    const countdown = page.locator('session-countdown');
    expect(await countdown.isVisible()).toBe(false);
    await warned(page);
    const [shown, clock] = await page.evaluate(() => [
      document.querySelector('session-countdown')!.textContent,
      document.querySelector('session-security-dialog')!.shadowRoot!.querySelector('#clock')!.textContent,
    ]);
    expect(shown).toMatch(/^0:5\d$/);
    expect(shown).toBe(clock);
    expect(await countdown.getAttribute('role')).toBe('timer');
    await stay(page);
    expect(await countdown.isVisible()).toBe(false);
  });

  test('D7 can show the time before the warning too, and put in when the client runs already', async () => {
    const page = await open('<main></main>');
    await page.evaluate(() => {
      const countdown = document.createElement('session-countdown');
      countdown.setAttribute('always', '');
      document.querySelector('main')!.append(countdown);
    });
    const countdown = page.locator('session-countdown');
    await countdown.getByText(/^1:5\d$/).waitFor();
    const first = await countdown.textContent();
    await page.waitForFunction(
      (text) => document.querySelector('session-countdown')!.textContent < text!,
      first,
    );
  });
});

describe('D7 the title of the tab', () => {
  test('D7 says the warning where it is asked to, in the language of the page, and is given back', async () => {
    const page = await open(
      '<main lang="de"><session-countdown page-title="Abmeldung {time}"></session-countdown></main>',
    );
    expect(await page.title()).toBe('Clinic');
    await warned(page);
    expect(await page.title()).toBe('Abmeldung in 1 Minute – Clinic');
    await stay(page);
    expect(await page.title()).toBe('Clinic');
  });

  test('D7 stays as it is otherwise, and with what the application writes meanwhile', async () => {
    const page = await open('<session-countdown></session-countdown>');
    await warned(page);
    expect(await page.title()).toBe('Clinic');
    await page.evaluate(() => {
      document.querySelector('session-countdown')!.remove();
      document.body.innerHTML = '<session-countdown page-title="Signing out {time}"></session-countdown>';
    });
    expect(await page.title()).toBe('Signing out in 1 minute – Clinic');
    await page.evaluate(() => (document.title = '(1) Clinic'));
    await page.evaluate(() => document.querySelector('session-countdown')!.remove());
    expect(await page.title()).toBe('(1) Clinic');
  });
});
