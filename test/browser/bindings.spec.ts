import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;

async function open(): Promise<Page> {
  ({ server, context, pass } = await openStage({ warnAfter: 60, expireAfter: 120 }, { bypassCSP: true }));
  server.session.client = { dismiss: 'button', dialog: false };
  server.pages.set('/', { body: '<main></main>' });
  const page = await context.newPage();
  await page.clock.install();
  server.session.signIn();
  await page.goto('/');
  return page;
}

describe.each(['react', 'vue'])('D4 the binding for %s', (framework) => {
  test(`D4 a component of ${framework} shows phase and countdown, and stays signed in`, async () => {
    const page = await open();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await loadModule(page, `test/support/client/bindings/${framework}.ts`, 'component');
    const button = page.getByRole('button');
    await page.getByText(/^active \d+$/).waitFor();
    await pass(60);
    await page.getByText(/^warning \d\d$/).waitFor();
    const first = await button.textContent();
    await page.waitForFunction((text) => document.querySelector('button')!.textContent < text!, first);
    await button.click();
    await page.getByText(/^active \d+$/).waitFor();
    expect(server.session.pings.filter(({ method }) => method === 'POST')).toHaveLength(1);
    server.session.end('revoked');
    await page.evaluate(() =>
      (window as unknown as { component: { unmount: () => void } }).component.unmount(),
    );
    expect(await page.locator('button').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
