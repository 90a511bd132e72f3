import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { documentedComponent } from '../support/client/documented-component.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';

const openStage = pageStage();

/** A page whose requests are refused. */
async function open(problem: { code: string; loginUrl?: string }): Promise<Page> {
  const { server, context } = await openStage({ warnAfter: 540, expireAfter: 600 }, { bypassCSP: true });
  server.pages.set('/patients', { html: '<!doctype html><main>Ada Lovelace</main>' });
  const page = await context.newPage();
  await page.route('/api/notes', (route) =>
    route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  );
  await page.goto('/patients?ward=a#notes');
  await loadModule(page, 'test/support/client/single-page.ts', 'desk');
  return page;
}

type Desk = { ask: Record<string, () => Promise<number | undefined>> };
const LIBRARIES = ['fetch', 'axios', 'Angular'];

test.each(LIBRARIES)(
  'a page that asks with %s leaves for the sign-in when its session has ended',
  async (library) => {
    const page = await open({ code: 'session_expired', loginUrl: '/login?from=app' });
    // Not awaited: the page is gone before it could answer.
    await page.evaluate((name) => void (globalThis as unknown as { desk: Desk }).desk.ask[name]!(), library);
    await page.waitForURL((url) => url.pathname === '/login');
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toEqual({ from: 'app', returnTo: '/patients?ward=a#notes' });
  },
);

test.each(LIBRARIES)('a page that asks with %s hears of any other refusal', async (library) => {
  const page = await open({ code: 'wrong_password' });
  const status = page.evaluate(
    (name) => (globalThis as unknown as { desk: Desk }).desk.ask[name]!(),
    library,
  );
  expect(await status).toBe(401);
  expect(new URL(page.url()).pathname).toBe('/patients');
});

describe.each(['React', 'Vue', 'Angular'] as const)('the warning that is shown for %s', (framework) => {
  /** A page with the component of the documentation, for somebody who has just signed in. */
  async function openWarning(maxLifetime?: number) {
    const limits = { warnAfter: 540, expireAfter: 599, ...(maxLifetime && { maxLifetime }) };
    const { server, context, pass } = await openStage(limits, { bypassCSP: true });
    server.pages.set('/', { html: '<!doctype html><main></main>' });
    server.session.signIn();
    const page = await context.newPage();
    await page.clock.install();
    await page.goto('/');
    await page.addScriptTag({ content: await documentedComponent(framework) });
    await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
    await pass(540);
    const warning = page.getByRole('alertdialog', { name: /^You will be signed out in \d+ seconds\.$/ });
    await warning.waitFor();
    return { server, page, pass, warning };
  }
  const focusIsOn = (page: Page, text: string) =>
    page.waitForFunction((wanted) => document.activeElement?.textContent === wanted, text);

  test('keeps somebody signed in or signs out, by keyboard alone, also while the server is away', async () => {
    const { server, page, pass, warning } = await openWarning();
    await focusIsOn(page, 'Stay signed in');
    await page.route('**/session-security/ping*', (route) => route.abort());
    for (let press = 0; press < 4; press++) await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await focusIsOn(page, 'Sign out now');
    await page.keyboard.press('Shift+Tab');
    expect(await warning.isVisible()).toBe(true);
    await page.unroute('**/session-security/ping*');
    await page.keyboard.press('Escape');
    await warning.waitFor({ state: 'hidden' });
    expect(server.session.pings.some(({ method }) => method === 'POST')).toBe(true);
    await pass(540);
    await warning.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/login');
    expect(server.session.ended).toBe('logout');
  });

  test('does not offer to stay beyond the absolute limit, and the page is left at the end', async () => {
    const { page, pass, warning } = await openWarning(590);
    await focusIsOn(page, 'Continue');
    await page.keyboard.press('Enter');
    await warning.waitFor({ state: 'hidden' });
    expect(await page.evaluate(() => globalThis.sessionSecurity!.phase())).toBe('warning');
    await pass(60);
    await page.waitForURL((url) => url.pathname === '/login');
  });
});
