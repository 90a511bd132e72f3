import { expect, test } from '@jest/globals';
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

test.each(['React', 'Vue', 'Angular'] as const)(
  'the warning that is shown for %s keeps somebody signed in, and the page is left at the end',
  async (framework) => {
    const limits = { warnAfter: 540, expireAfter: 599 };
    const { server, context, pass } = await openStage(limits, { bypassCSP: true });
    server.pages.set('/', { html: '<!doctype html><main></main>' });
    server.session.client = { dismiss: 'button' };
    server.session.signIn();
    const page = await context.newPage();
    await page.clock.install();
    await page.goto('/');
    await page.addScriptTag({ content: await documentedComponent(framework) });
    await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
    await pass(540);
    const warning = page.getByRole('alertdialog', { name: /^You will be signed out in \d+ seconds\.$/ });
    await warning.waitFor();
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await warning.waitFor({ state: 'hidden' });
    expect(server.session.pings.filter(({ method }) => method === 'POST')).toHaveLength(1);
    await pass(600);
    await page.waitForURL((url) => url.pathname === '/login');
  },
);
