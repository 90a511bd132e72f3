import { afterEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { FakePage, FakePingServer } from '../support/client/fake-ping-server.js';
import type { FakeLimits } from '../support/client/fake-session-server.js';
import { pageStage } from '../support/client/page-stage.js';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;
let problems: string[];

afterEach(() => expect(problems).toEqual([]));

async function serve(
  client = {},
  page: FakePage = {},
  limits: FakeLimits = { warnAfter: 60, expireAfter: 120 },
): Promise<void> {
  ({ server, context, pass } = await openStage(limits));
  await context.clock.install();
  server.session.client = client;
  server.pages.set('/', page);
  problems = [];
}

async function open(path = '/'): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  server.session.touch();
  await page.goto(path);
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
  return page;
}

const dialogOf = (page: Page) => page.getByRole('alertdialog');
const stayIn = (page: Page) => page.getByRole('button', { name: 'Stay signed in' });
/** Lets the time pass after which these pages warn. */
const warned = async (...pages: Page[]) => {
  await pass(60);
  await Promise.all(pages.map((page) => dialogOf(page).waitFor()));
};
const calledOff = (page: Page) => dialogOf(page).waitFor({ state: 'hidden' });
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return (activeElement?.shadowRoot?.activeElement ?? activeElement)?.id;
  });

describe('D1', () => {
  test('the clock is right within a second and counts down without gaps', async () => {
    // In real time, because a clock of the tests has no entries of the page's requests.
    ({ server, context } = await openStage({ warnAfter: 1, expireAfter: 30 }));
    problems = [];
    const page = await context.newPage();
    server.session.signIn();
    await page.goto('/');
    await dialogOf(page).waitFor();
    const { lastActivityAt, limits } = server.session;
    const seen = await page.evaluate(
      async (endAt) => {
        const clock = document.querySelector('session-security-dialog')!.shadowRoot!.querySelector('#clock')!;
        const changes: { shown: number; left: number }[] = [];
        await new Promise<void>((resolve) => {
          new MutationObserver(() => {
            changes.push({ shown: Number(clock.textContent.slice(2)), left: (endAt - Date.now()) / 1000 });
            if (changes.length === 4) resolve();
          }).observe(clock, { childList: true });
        });
        return changes;
      },
      lastActivityAt + limits.expireAfter * 1000,
    );
    // The client promises no time that the network may eat: what its requests took is taken off.
    const roundTrip = await page.evaluate(() => {
      const requests = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/ping'));
      return Math.max(...requests.map(({ duration }) => duration)) / 1000;
    });
    for (const { shown, left } of seen) {
      expect(shown).toBeLessThan(left + 1);
      expect(shown).toBeGreaterThan(left - roundTrip - 1);
    }
    const steps = seen.slice(1).map(({ shown, left }, index) => {
      const before = seen[index]!;
      return { numbers: before.shown - shown, seconds: before.left - left };
    });
    for (const { numbers, seconds } of steps) {
      expect(numbers).toBeGreaterThanOrEqual(1);
      // More than one at once only where the page was held up for that long.
      expect(numbers).toBeLessThan(seconds + 1);
    }
  });
});

describe('D2', () => {
  test("lies over the application's own dialog, and leaves it open", async () => {
    const body = '<main><dialog id="theirs"><button id="opener">Theirs</button></dialog></main>';
    await serve({ dismiss: 'button' }, { body });
    const page = await open();
    await page.evaluate(() => document.querySelector('dialog')!.showModal());
    expect(await focused(page)).toBe('opener');
    await warned(page);
    expect(await focused(page)).toBe('stay');
    const top = await page.evaluate(() => {
      const { left, top } = document
        .querySelector('session-security-dialog')!
        .shadowRoot!.querySelector('#title')!
        .getBoundingClientRect();
      return document.elementFromPoint(left + 5, top + 5)?.localName;
    });
    expect(top).toBe('session-security-dialog');
    await stayIn(page).click();
    await calledOff(page);
    expect(await page.evaluate(() => document.querySelector('dialog')!.open)).toBe(true);
    expect(await focused(page)).toBe('opener');
  });

  test('keeps the focus inside, in both directions', async () => {
    await serve({ dismiss: 'button' });
    const page = await open();
    await warned(page);
    const places: unknown[] = [await focused(page)];
    for (const key of ['Tab', 'Tab', 'Shift+Tab', 'Shift+Tab']) {
      await page.keyboard.press(key);
      places.push(await focused(page));
    }
    expect(places).toEqual(['stay', 'sign-out', 'stay', 'sign-out', 'stay']);
  });

  test('gives the focus to the main content when its opener is gone', async () => {
    await serve({ dismiss: 'button' }, { body: '<main id="main"><input id="opener"></main>' });
    const page = await open();
    await page.focus('#opener');
    await warned(page);
    await page.evaluate(() => document.querySelector('#opener')!.remove());
    await stayIn(page).click();
    await calledOff(page);
    expect(await focused(page)).toBe('main');
  });

  test('three Escapes that mean nothing leave it open', async () => {
    await serve({ dismiss: 'button', escape: 'ignore' });
    const page = await open();
    await warned(page);
    for (let press = 0; press < 3; press++) await page.keyboard.press('Escape');
    expect(await dialogOf(page).isVisible()).toBe(true);
    expect(server.session.pings.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('Escape stays signed in, also the third time while the server does not answer', async () => {
    await serve({ dismiss: 'button' });
    const page = await open();
    await warned(page);
    server.interfere = (response) => !!response.writeHead(503).end();
    const ready = page.locator('#stay[aria-disabled=false]');
    for (let press = 0; press < 3; press++) {
      // While a request is under way, another press means nothing.
      const failed = page.waitForResponse((response) => response.status() === 503);
      await page.keyboard.press('Escape');
      await failed;
      await ready.waitFor();
    }
    expect(await dialogOf(page).isVisible()).toBe(true);
    server.interfere = undefined;
    await page.keyboard.press('Escape');
    await calledOff(page);
    expect(server.session.alive()).toBe(true);
  });

  test('Escape signs out where it is set to', async () => {
    await serve({ dismiss: 'button', escape: 'sign-out' });
    const page = await open();
    await warned(page);
    await page.keyboard.press('Escape');
    await page.waitForURL('**/login');
    expect(server.session.ended).toBe('logout');
  });
});

describe('D3', () => {
  test('is an alertdialog with a name, a description and a quiet live region', async () => {
    await serve({ dismiss: 'button' }, {}, { warnAfter: 60, expireAfter: 79 });
    const page = await open();
    const dialog = page.getByRole('alertdialog', { name: 'Are you still there?' });
    await warned(page);
    await dialog.waitFor();
    const devTools = await context.newCDPSession(page);
    const { nodes } = await devTools.send('Accessibility.getFullAXTree');
    const described = nodes.find(({ role }) => role?.value === 'alertdialog');
    expect(described?.description?.value).toMatch(/You will be signed out in 1?\d seconds?\./);
    expect(nodes.filter(({ name }) => name?.value === 'Patients')).toEqual([]);
    await page.evaluate(() => {
      const status = document.querySelector('session-security-dialog')!.shadowRoot!.querySelector('#status')!;
      const changed = () => (document.title = 'changed');
      new MutationObserver(changed).observe(status, { childList: true, characterData: true, subtree: true });
    });
    const clock = await page.getByText(/^0:\d\d$/).textContent();
    await page.clock.runFor(2500);
    expect(await page.getByText(/^0:\d\d$/).textContent()).not.toBe(clock);
    expect(await page.title()).toBe('Clinic');
  });
});

describe('D6', () => {
  test.each([
    ['answers 503', 503],
    ['cannot be reached', 0],
  ])('when the server %s, the dialog stays, says so, and can be tried again', async (_, status) => {
    await serve({ dismiss: 'button' });
    const [here, there] = [await open(), await open()];
    await warned(here, there);
    server.interfere = (response) => {
      if (status) response.writeHead(status).end();
      else response.destroy();
      return true;
    };
    await stayIn(here).click();
    await here.getByRole('alert').getByText('The server could not be reached').waitFor();
    expect(await dialogOf(here).isVisible()).toBe(true);
    expect(await dialogOf(there).isVisible()).toBe(true);
    // The page asks again by itself, too: nothing is answered before the button has been pressed.
    let answer = (): void => {};
    const pressed = new Promise<void>((resolve) => (answer = resolve));
    server.interfere = () => pressed.then(() => false);
    await stayIn(here).click();
    answer();
    await Promise.all([calledOff(here), calledOff(there)]);
    expect(server.session.alive()).toBe(true);
  });

  test('it is pending until the server says so', async () => {
    await serve({ dismiss: 'button' });
    const page = await open();
    await warned(page);
    let answer: () => void;
    const asked = new Promise<void>((resolve) => {
      server.interfere = () => {
        resolve();
        return new Promise<boolean>((release) => (answer = () => release(false)));
      };
    });
    await stayIn(page).click();
    await asked;
    expect(await stayIn(page).getAttribute('aria-disabled')).toBe('true');
    expect(await dialogOf(page).isVisible()).toBe(true);
    answer!();
    await calledOff(page);
  });

  test('when the server says that the session has ended, the page is hidden and left', async () => {
    await serve({ dismiss: 'button', loginUrl: '/login' });
    const page = await open();
    await warned(page);
    server.interfere = (response) => !!response.writeHead(401).end();
    await stayIn(page).click();
    await page.waitForURL('**/login?returnTo=%2F');
  });

  test('any activity calls it off by default, and a mouse that moves is one', async () => {
    await serve();
    const page = await open();
    await page.mouse.move(5, 5);
    await warned(page);
    await page.mouse.move(9, 5);
    await page.mouse.move(12, 5);
    await calledOff(page);
  });
});

describe('S20', () => {
  test('before the absolute limit there is nothing to extend, and the page can be used until then', async () => {
    await serve({}, {}, { warnAfter: 600, expireAfter: 660, maxLifetime: 120 });
    const page = await open();
    await warned(page);
    expect(await stayIn(page).count()).toBe(0);
    await page.getByRole('button', { name: 'Continue' }).click();
    await calledOff(page);
    await page.fill('input', 'still working');
    await pass(60);
    await page.waitForURL('**/login*');
  });
});

describe('L2', () => {
  test('texts and addresses with quotes, tags and any script arrive as they are', async () => {
    const title = `"'</script><img src=x onerror=alert(1)> \u202e語 😀`;
    await serve({ dismiss: 'button', texts: { title }, logoutUrl: `/bye?q="'<%26>語#😀` });
    server.pages.set('/bye', { body: 'Bye' });
    const page = await open();
    await warned(page);
    expect(await page.getByRole('heading', { name: '</script>' }).textContent()).toBe(title);
    expect(await page.locator('session-security-dialog img').count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out now' }).click();
    await page.waitForURL('**/bye*');
    expect(new URL(page.url()).searchParams.get('q')).toBe(`"'<&>語`);
  });
});

describe('L3', () => {
  test('"Sign out now" is a POST, and the page is left by a GET', async () => {
    await serve({ dismiss: 'button' });
    const page = await open();
    await warned(page);
    await page.getByRole('button', { name: 'Sign out now' }).click();
    await page.waitForURL('**/login');
    expect(server.session.requests.filter(({ path }) => path === 'end')).toMatchObject([{ method: 'POST' }]);
    expect(server.visits.at(-1)).toBe('GET /login');
  });

  test('when it fails the dialog stays and says so', async () => {
    await serve({ dismiss: 'button' });
    const page = await open();
    await warned(page);
    server.interfere = (response) => !!response.writeHead(503).end();
    await page.getByRole('button', { name: 'Sign out now' }).click();
    await page.getByRole('alert').getByText('could not be reached').waitFor();
    expect(await dialogOf(page).isVisible()).toBe(true);
  });
});
