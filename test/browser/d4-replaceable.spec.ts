import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type * as headlessModule from '../../client/headless.js';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';

type Hosting = typeof window & { headless: typeof headlessModule; told: string[] };

const PLAIN = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'";

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;

async function serve(client = {}, style = '', viewport = { width: 900, height: 600 }): Promise<Page> {
  ({ server, context } = await openStage({ warnAfter: 60, expireAfter: 120 }, { viewport }));
  server.session.client = { dismiss: 'button', ...client };
  server.pages.set('/', { body: `<style>${style}</style><main><h1>Patients</h1></main>`, policy: PLAIN });
  // The same without the script: what the page sets up itself is all there is.
  server.pages.set('/bare', { html: '<!doctype html><main><h1>Patients</h1></main>', policy: PLAIN });
  server.session.lastActivityAt -= 60_000;
  return context.newPage();
}

const styleOf = (page: Page, id: string, name: string) =>
  page.evaluate(
    ([part, property]) => {
      const root = document.querySelector('session-security-dialog')!.shadowRoot!;
      return getComputedStyle(root.getElementById(part!)!).getPropertyValue(property!);
    },
    [id, name],
  );

describe('D4 every part can be replaced', () => {
  test('D4 every part takes the styles of the page, and custom properties reach it', async () => {
    const parts = ['dialog', 'title', 'message', 'clock', 'status', 'error', 'stay', 'sign-out'];
    const rules = parts.map(
      (part, index) => `session-security-dialog::part(${part}){outline:${index + 1}px solid var(--brand)}`,
    );
    const page = await serve({}, `session-security-dialog{--brand:rgb(1, 2, 3)}${rules.join('')}`);
    await page.goto('/');
    await page.getByRole('alertdialog').waitFor();
    for (const [index, part] of parts.entries()) {
      expect([part, await styleOf(page, part, 'outline-width')]).toEqual([part, `${index + 1}px`]);
      expect(await styleOf(page, part, 'outline-color')).toBe('rgb(1, 2, 3)');
    }
  });

  test('D4 font and colour scheme are those that the page gives the element', async () => {
    const page = await serve({}, 'session-security-dialog{font-family:Georgia;color-scheme:dark}');
    await page.goto('/');
    await page.getByRole('alertdialog').waitFor();
    expect(await styleOf(page, 'stay', 'font-family')).toBe('Georgia');
    expect(await styleOf(page, 'dialog', 'color-scheme')).toBe('dark');
  });

  test('D4 a part that is not wanted is neither seen nor said', async () => {
    const page = await serve({}, 'session-security-dialog::part(sign-out){display:none}');
    await page.goto('/');
    await page.getByRole('button', { name: 'Stay signed in' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(1);
  });

  test('D4 every text can be another', async () => {
    const texts = { title: 'Hello?', idle: 'We save.', time: 'Out {time}.', stay: 'Yes', signOut: 'No' };
    const page = await serve({ texts });
    await page.goto('/');
    const dialog = page.getByRole('alertdialog', { name: 'Hello?' });
    await dialog.waitFor();
    for (const text of ['We save.', 'Out in 1 minute.', 'Yes', 'No'])
      expect(await dialog.getByText(text).count()).toBe(1);
  });

  test("D4 the application's own dialog takes the place of ours, and its choices work", async () => {
    const page = await serve();
    await page.goto('/bare');
    await loadModule(page, 'client/headless.ts', 'headless');
    await page.evaluate(() => {
      const hosting = window as unknown as Hosting;
      hosting.told = [];
      const tell = (name: string) => () => void hosting.told.push(name);
      hosting.headless.start({}, ({ stay }, { dismiss }) => ({
        warn: ({ reason }) => {
          hosting.told.push(`warn ${reason} ${dismiss}`);
          const button = Object.assign(document.createElement('button'), { id: 'own', onclick: stay });
          document.body.append(button);
        },
        active: () => {
          hosting.told.push('active');
          document.querySelector('#own')?.remove();
        },
        cover: tell('cover'),
        expire: tell('expire'),
        remove: tell('remove'),
      }));
    });
    await page.click('#own');
    await page.locator('#own').waitFor({ state: 'detached' });
    expect(server.session.pings.filter(({ method }) => method === 'POST').length).toBe(1);
    await page.evaluate(() => globalThis.sessionSecurity!.destroy());
    expect(await page.evaluate(() => (window as unknown as Hosting).told)).toEqual([
      'active',
      'warn idle button',
      'active',
      'remove',
    ]);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('D4 without a dialog there are the events, and nothing in the page', async () => {
    const page = await serve({ dialog: false });
    await page.goto('/');
    await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'warning');
    expect(await page.locator('session-security-dialog').count()).toBe(0);
    await page.evaluate(() => globalThis.sessionSecurity!.stay());
    await page.waitForFunction(() => globalThis.sessionSecurity!.phase() === 'active');
  });
});

describe('D3 without any styling', () => {
  test.each([
    [320, 256],
    [320, 568],
    [1280, 800],
  ])(
    'D3 at %i by %i pixels it keeps off the edges, and its content off its border',
    async (width, height) => {
      const page = await serve({}, '', { width, height });
      await page.goto('/');
      await page.getByRole('alertdialog').waitFor();
      const place = await page.evaluate(() => {
        const root = document.querySelector('session-security-dialog')!.shadowRoot!;
        const { left, right } = root.querySelector('dialog')!.getBoundingClientRect();
        const { left: start } = root.querySelector('button')!.getBoundingClientRect();
        return { left, right: innerWidth - right, padding: start - left, width: right - left };
      });
      expect(Math.min(place.left, place.right)).toBeGreaterThanOrEqual(16);
      expect(place.padding).toBeGreaterThanOrEqual(16);
      expect(place.width).toBeLessThanOrEqual(440);
    },
  );
});
