import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { readLanguages } from '../../scripts/client-languages.mjs';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import type { FakeLimits } from '../support/client/fake-session-server.js';
import { pageStage } from '../support/client/page-stage.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const body =
  '<main><h1>Patients</h1><label>Name <input id="field"></label><button id="opener">Open</button></main>';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;

async function serve(
  client = {},
  limits: FakeLimits = { warnAfter: 60, expireAfter: 120 },
  options: BrowserContextOptions = {},
): Promise<Page> {
  ({ server, context, pass } = await openStage(limits, { bypassCSP: true, ...options }));
  await context.clock.install();
  server.session.client = { dismiss: 'button', ...client };
  server.pages.set('/', { body });
  // Axe is no part of the page, and needs what a strict policy forbids.
  return context.newPage();
}

/** Opens the page with a warning that is due at once. */
async function warned(page: Page): Promise<void> {
  server.session.signIn();
  server.session.lastActivityAt -= server.session.limits.warnAfter * 1000;
  await page.goto('/');
  await page.getByRole('alertdialog').waitFor();
}

const unreachable = () => (server.interfere = (response) => !!response.writeHead(503).end());

/** What axe finds, in light, dark and forced colours. */
async function findings(page: Page): Promise<unknown[]> {
  await page.evaluate(axe);
  const found: unknown[] = [];
  for (const media of [
    { colorScheme: 'light' },
    { colorScheme: 'dark' },
    { colorScheme: 'dark', forcedColors: 'active' },
  ] as const) {
    await page.emulateMedia({ forcedColors: 'none', ...media });
    const { violations, passes } = await page.evaluate(() =>
      (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
    );
    found.push(...violations.map(({ id, nodes }) => [media, id, nodes.map(({ html }) => html)]));
    expect(passes.map(({ id }) => id)).toContain('aria-dialog-name');
  }
  return found;
}

const insideDialog = <Result>(page: Page, look: (dialog: HTMLDialogElement) => Result): Promise<Result> =>
  page.evaluate<Result>(
    `(${look.toString()})(document.querySelector('session-security-dialog').shadowRoot.querySelector('dialog'))`,
  );

describe('D3 axe finds nothing, in light, dark and forced colours', () => {
  test('D3 in the warning', async () => {
    const page = await serve();
    await warned(page);
    expect(await findings(page)).toEqual([]);
  });

  test('D3 in the warning before the absolute limit', async () => {
    const page = await serve({}, { warnAfter: 59, expireAfter: 60, maxLifetime: 1 });
    server.session.limits.maxLifetime = 30;
    server.session.limits.expireAfter = 89;
    await warned(page);
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    expect(await findings(page)).toEqual([]);
  });

  test('D3 while the server has not answered', async () => {
    const page = await serve();
    await warned(page);
    server.interfere = () => new Promise(() => {});
    await page.keyboard.press('Enter');
    await page.locator('[aria-disabled=true]').waitFor();
    expect(await findings(page)).toEqual([]);
  });

  test('D3 when that has failed', async () => {
    const page = await serve();
    await warned(page);
    unreachable();
    await page.keyboard.press('Enter');
    await page.getByText('could not be reached').waitFor();
    expect(await findings(page)).toEqual([]);
  });

  test('D3 on a covered page, which says why and nothing else, whatever key is pressed', async () => {
    const page = await serve();
    await warned(page);
    unreachable();
    await pass(60);
    await page.waitForFunction(() => !document.body.checkVisibility());
    const dialog = page.getByRole('alertdialog');
    await dialog.waitFor();
    for (const key of ['Escape', 'Tab', 'Enter', 'Escape']) await page.keyboard.press(key);
    expect(await page.getByRole('button').count()).toBe(0);
    expect((await dialog.innerText()).trim()).toMatch(/^The server could not be reached\./);
    const devTools = await context.newCDPSession(page);
    const { nodes } = await devTools.send('Accessibility.getFullAXTree');
    const described = nodes.find(({ role }) => role?.value === 'alertdialog');
    expect(described?.description?.value).toBe('The server could not be reached.');
    expect(await findings(page)).toEqual([]);
  });

  test.each(['ar', 'de', 'ja'])('D5 in the warning in %s', async (tag) => {
    const page = await serve({ texts: (await readLanguages()).get(tag) });
    await warned(page);
    expect(await findings(page)).toEqual([]);
  });
});

describe('D3 what is announced', () => {
  test('D3 in two minutes, the time left is said four times, and the clock beside it is not read', async () => {
    const page = await serve({}, { warnAfter: 20, expireAfter: 140 });
    await warned(page);
    const told = await insideDialog(page, (dialog) => {
      const told = { status: [] as string[], clock: [] as string[], mutations: 0 };
      const follow = (id: 'status' | 'clock') => {
        const element = dialog.querySelector(`#${id}`)!;
        const note = () => told[id].push(element.textContent);
        note();
        new MutationObserver((records) => {
          if (id === 'status') told.mutations += records.length;
          note();
        }).observe(element, { childList: true, characterData: true, subtree: true, attributes: true });
      };
      follow('status');
      follow('clock');
      (window as unknown as { told: unknown }).told = told;
      return { ...told, hidden: dialog.querySelector('#clock')!.getAttribute('aria-hidden') };
    });
    expect(told.hidden).toBe('true');
    // A clock that goes on by itself could miss a second on a busy machine.
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 500));
    while ((await page.getByText(/^\d:\d\d$/).textContent()) !== '0:01') await page.clock.runFor(1000);
    const { status, clock, mutations } = await page.evaluate(
      () => (window as unknown as { told: { status: string[]; clock: string[]; mutations: number } }).told,
    );
    expect(status).toEqual([
      'You will be signed out in 2 minutes.',
      'You will be signed out in 1 minute.',
      'You will be signed out in 40 seconds.',
      'You will be signed out in 20 seconds.',
    ]);
    // One node taken away and one put in is one record.
    expect(mutations).toBe(status.length - 1);
    const seconds = clock.map((text) => {
      const [minutes, rest] = text.split(':').map(Number);
      return minutes! * 60 + rest!;
    });
    expect(seconds.length).toBeGreaterThan(110);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0);
    for (const [index, value] of seconds.entries())
      if (index > 0) expect(value).toBeLessThan(seconds[index - 1]!);
  });
});

describe('D2 the focus', () => {
  const focused = (page: Page) =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.shadowRoot?.activeElement?.id ?? (activeElement?.id || activeElement?.localName);
    });

  test('D2 goes back to where it was, and to nothing when there was none', async () => {
    const page = await serve();
    await warned(page);
    expect(await focused(page)).toBe('stay');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('body');
    expect(await page.locator('main').getAttribute('tabindex')).toBeNull();
    await page.focus('#opener');
    await pass(60);
    await page.getByRole('alertdialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('opener');
  });

  test('D2 goes to the main content when its opener cannot take it any more', async () => {
    const page = await serve();
    server.session.signIn();
    await page.goto('/');
    await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
    await page.focus('#opener');
    await pass(60);
    await page.getByRole('alertdialog').waitFor();
    await page.evaluate(() => (document.querySelector<HTMLButtonElement>('#opener')!.disabled = true));
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('main');
  });
});

describe('D3 on any screen', () => {
  test.each([
    ['320 by 256 pixels, which is 1280 by 1024 at 400 %', 320, 256, 4],
    ['320 by 568 pixels', 320, 568, 2],
  ])(
    'D3 %s: nothing is cut off, both buttons can be reached',
    async (_, width, height, deviceScaleFactor) => {
      // The longest words there are.
      const texts = (await readLanguages()).get('fi')!;
      const page = await serve({ texts }, undefined, { viewport: { width, height }, deviceScaleFactor });
      await warned(page);
      for (const id of ['sign-out', 'stay']) {
        await page.keyboard.press('Tab');
        const place = await page.evaluate((expected) => {
          const { shadowRoot } = document.querySelector('session-security-dialog')!;
          const button = shadowRoot!.activeElement!;
          const { left, right, top, bottom, height: tall } = button.getBoundingClientRect();
          const inView = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
          const hit = shadowRoot!.elementFromPoint((left + right) / 2, (top + bottom) / 2);
          return { isExpected: button.id === expected, inView, isHit: hit === button, isTall: tall >= 24 };
        }, id);
        expect(place).toEqual({ isExpected: true, inView: true, isHit: true, isTall: true });
      }
      expect(await insideDialog(page, (dialog) => dialog.scrollWidth <= dialog.clientWidth)).toBe(true);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    },
  );

  test('D3 nothing moves, with reduced motion or without', async () => {
    const page = await serve();
    for (const reducedMotion of ['reduce', 'no-preference'] as const) {
      await page.emulateMedia({ reducedMotion });
      await warned(page);
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
      const moving = await insideDialog(
        page,
        (dialog) =>
          [dialog, ...dialog.querySelectorAll('*')].filter((part) => {
            const { animationName, transitionDuration } = getComputedStyle(part);
            return animationName !== 'none' || transitionDuration !== '0s';
          }).length,
      );
      expect(moving).toBe(0);
    }
  });

  test('D3 dark where the reader wants it dark, with the colours of the system where these are forced', async () => {
    const page = await serve();
    await warned(page);
    const colours = () =>
      insideDialog(page, (dialog) => {
        const { backgroundColor, color, borderTopStyle } = getComputedStyle(dialog);
        return [backgroundColor, color, borderTopStyle];
      });
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await colours();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await colours();
    expect(dark[0]).not.toBe(light[0]);
    expect(dark[1]).not.toBe(light[1]);
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    expect(await colours()).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)', 'solid']);
  });
});

describe('D3 WCAG 2.2.1', () => {
  test('D3 the time can be extended twelve times in a row', async () => {
    const page = await serve();
    await warned(page);
    for (let time = 0; time < 12; time++) {
      const [request] = await Promise.all([
        page.waitForRequest((request) => request.method() === 'POST'),
        page.keyboard.press('Enter'),
      ]);
      expect((await request.response())?.status()).toBe(200);
      await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
      await pass(60);
      await page.getByRole('alertdialog').waitFor();
    }
  });
});
