import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Browser, Page } from 'playwright-core';
import { SessionSecurityService } from '../../lib/index.js';
import { launchChromium } from '../support/client/chromium.js';
import { eventually } from '../support/real-time.js';
import { startHostPage } from '../support/host-page.js';

const policies = [
  { policy: "default-src 'none'; script-src 'self'; connect-src 'self'" },
  {
    policy: "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; connect-src 'self'",
    nonce: 'r4nd0m',
  },
  {
    policy:
      "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
  },
];

let browser: Browser;
let application: NestExpressApplication;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(async () => {
  await page.context().close();
  await application.close();
});
afterAll(() => browser.close());

/** Opens the page as somebody signed in, and collects whatever the browser has to say against it. */
async function open(contentSecurityPolicy: string, nonce?: string): Promise<void> {
  const embedding = { contentSecurityPolicy, ...(nonce !== undefined && { nonce }) };
  application = await startHostPage(embedding, { warnAfter: 2, expireAfter: 62 });
  complaints = [];
  page = await browser.newPage({ baseURL: await application.getUrl() });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.exposeFunction('tellViolation', (directive: string) => complaints.push(directive));
  await page.addInitScript(() => {
    const { tellViolation } = window as unknown as { tellViolation: (directive: string) => void };
    document.addEventListener('securitypolicyviolation', (event) => tellViolation(event.violatedDirective));
  });
  await page.goto('/sign-in');
}

describe('E1', () => {
  test.each(policies)('warns, extends and hides the page under "$policy"', async ({ policy, nonce }) => {
    await open(policy, nonce);
    const dialog = page.locator('session-security-dialog dialog');

    await dialog.waitFor({ state: 'visible' });
    // Browsers give dialogs square corners: round ones show that the style sheet was taken.
    expect(await dialog.evaluate((element) => getComputedStyle(element).borderRadius)).not.toBe('0px');
    await dialog.getByRole('button', { name: 'Stay signed in' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.textContent('h1')).toBe('reception');
    await application.get(SessionSecurityService).endAll('reception');
    await page.evaluate(() => {
      // As another tab says that nobody is signed in: this one asks the server.
      const channel = new BroadcastChannel('session-security:session-security');
      channel.postMessage({ owner: '' });
      channel.close();
    });
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Nobody');

    expect(complaints).toEqual([]);
    // The silence means something: what is not allowed is noticed.
    await page.evaluate(() => document.head.append(document.createElement('style')));
    await page.evaluate(() => (document.querySelector('style')!.textContent = 'h1 { color: red }'));
    await eventually('a complaint', () => complaints.includes('style-src-elem'), 15_000);
  });

  test('adds no global but sessionSecurity', async () => {
    await open(policies[0]!.policy);
    await page.waitForFunction(() => 'sessionSecurity' in window);
    const globals = await page.evaluate(() => Object.getOwnPropertyNames(window));
    await page.goto('/bare-page');
    const bareGlobals = await page.evaluate(() => Object.getOwnPropertyNames(window));

    expect(globals.filter((name) => !bareGlobals.includes(name))).toEqual(['sessionSecurity']);
  });
});
