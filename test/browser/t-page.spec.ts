import { describe, expect, jest, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';

jest.setTimeout(30_000);

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;

async function serve(client = {}, limits = { warnAfter: 1, expireAfter: 2 }): Promise<void> {
  ({ server, context } = await openStage(limits));
  server.session.client = client;
}

async function open(path = '/'): Promise<Page> {
  const page = await context.newPage();
  server.session.touch();
  await page.goto(path);
  return page;
}

const isCovered = (page: Page) => page.waitForFunction(() => !document.body.checkVisibility());
const isUncovered = (page: Page) => page.waitForFunction(() => document.body.checkVisibility());
const events = (page: Page) => page.evaluate(() => (window as unknown as { told: string[] }).told);

/** Notes the client's events on the pages opened from now on: a page that takes long to load has told some by then. */
async function note(prevent: string[] = []): Promise<void> {
  await context.addInitScript((prevented) => {
    const told = ((window as unknown as { told: string[] }).told = []);
    // The client has just started.
    addEventListener('DOMContentLoaded', () => {
      for (const type of ['warn', 'active', 'extended', 'cover', 'expire', 'error'] as const)
        (window as unknown as { sessionSecurity: EventTarget }).sessionSecurity.addEventListener(
          type,
          (event) => {
            told.push(type as never);
            if (prevented.includes(type)) event.preventDefault();
          },
        );
    });
  }, prevent);
}

describe('T6', () => {
  test('a page that is offline at its end is hidden everywhere, says why, and comes back as it was', async () => {
    await serve({ dialog: true }, { warnAfter: 50, expireAfter: 60 });
    await context.clock.install();
    const body =
      '<main><h1>Patients</h1><p>Ada</p><pre>' + '\n'.repeat(200) + '</pre><input id="field"></main>';
    server.pages.set('/', { body });
    const page = await open();
    await page.locator('#field').pressSequentially('half a note');
    const position = await page.evaluate(() => scrollY);
    expect(position).toBeGreaterThan(0);
    server.interfere = (response) => {
      response.destroy();
      return true;
    };
    await page.clock.fastForward(61_000);
    await isCovered(page);
    await page.getByText('The server could not be reached').waitFor();
    expect(await page.evaluate(() => document.documentElement.innerText)).toBe('');
    const devTools = await context.newCDPSession(page);
    const { nodes } = await devTools.send('Accessibility.getFullAXTree');
    expect(nodes.filter(({ name, ignored }) => !ignored && /Ada|Patients/.test(`${name?.value}`))).toEqual(
      [],
    );
    expect(server.visits).toEqual(['GET /']);

    server.interfere = undefined;
    server.session.signIn();
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await isUncovered(page);
    expect(await page.inputValue('#field')).toBe('half a note');
    expect(await page.evaluate(() => [scrollY, document.activeElement?.id])).toEqual([position, 'field']);
  });
});

describe('T12', () => {
  test('starting twice is one instance, by script tag and by module', async () => {
    await serve({}, { warnAfter: 60, expireAfter: 120 });
    server.pages.set('/', { policy: "script-src 'self' 'unsafe-inline'" });
    const page = await open();
    await loadModule(page, 'client/index.ts', 'module');
    const same = await page.evaluate(() => {
      const { start } = (window as unknown as { module: { start: () => unknown } }).module;
      const { sessionSecurity } = window as unknown as { sessionSecurity: unknown };
      return start() === sessionSecurity && start() === sessionSecurity;
    });
    expect(same).toBe(true);
    expect(server.session.requests.length).toBe(1);
  });

  test('destroy leaves no element, no listener and no global', async () => {
    await serve({ dismiss: 'button' }, { warnAfter: 1, expireAfter: 20 });
    await context.addInitScript(() => {
      const watched = window as unknown as { listening: number };
      watched.listening = 0;
      const add = window.addEventListener.bind(window);
      const remove = window.removeEventListener.bind(window);
      window.addEventListener = ((
        type: string,
        listener: EventListener,
        options?: AddEventListenerOptions,
      ) => {
        watched.listening++;
        options?.signal?.addEventListener('abort', () => watched.listening--);
        add(type, listener, options);
      }) as never;
      window.removeEventListener = ((type: string, listener: EventListener, capture?: boolean) => {
        watched.listening--;
        remove(type, listener, capture);
      }) as never;
    });
    const page = await open();
    await page.getByRole('alertdialog').waitFor();
    await page.evaluate(() =>
      (window as unknown as { sessionSecurity: { destroy(): void } }).sessionSecurity.destroy(),
    );
    expect(
      await page.evaluate(() => [
        document.querySelectorAll('session-security-dialog').length,
        'sessionSecurity' in window,
        (window as unknown as { listening: number }).listening,
        document.body.checkVisibility(),
      ]),
    ).toEqual([0, false, 0, true]);
  });
});

describe('T14', () => {
  test('the page listens neither for unload nor for beforeunload', async () => {
    await serve({}, { warnAfter: 60, expireAfter: 120 });
    await context.addInitScript(() => {
      const types: string[] = ((window as unknown as { types: string[] }).types = []);
      const add = window.addEventListener.bind(window);
      window.addEventListener = ((
        type: string,
        listener: EventListener,
        options?: AddEventListenerOptions,
      ) => {
        types.push(type);
        add(type, listener, options);
      }) as never;
    });
    const page = await open();
    await page.waitForFunction(() => (window as unknown as { types: string[] }).types.includes('pagehide'));
    const types = await page.evaluate(() => (window as unknown as { types: string[] }).types);
    expect(types.filter((type) => type.includes('unload'))).toEqual([]);
  });
});

describe('T15', () => {
  test('a page that came from a form is left by a GET that asks nothing and repeats nothing', async () => {
    await serve();
    server.pages.set('/note', { body: '<main><h1>Saved</h1></main>' });
    server.pages.set('/', { body: '<form method="post" action="/note"><button>Save</button></form>' });
    const page = await open();
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.type()));
    await page.evaluate(() => document.querySelector('form')!.submit());
    await page.waitForURL('**/login?returnTo=%2Fnote', { timeout: 10_000 });
    expect(server.visits).toEqual(['GET /', 'POST /note', 'GET /login?returnTo=%2Fnote']);
    expect(dialogs).toEqual([]);
  });

  test('without an address to sign in, the page is loaded again by a GET, also with a fragment', async () => {
    await serve();
    server.session.redirectTo = null;
    const page = await open('/?from=list#notes');
    await page.waitForFunction(() => location.hash === '', undefined, { timeout: 10_000 });
    await page.waitForLoadState();
    expect(server.visits).toEqual(['GET /?from=list', 'GET /?from=list']);
  });
});

describe('T16', () => {
  test('with onExpire: event the application is told and does the rest', async () => {
    await serve({ onExpire: 'event' });
    await note();
    const page = await open();
    await page.waitForFunction(() => (window as unknown as { told: string[] }).told.includes('expire'));
    // A slow machine may lose a request on the way.
    const told = (await events(page)).filter((type) => type !== 'error');
    expect(told.slice(-2)).toEqual(['cover', 'expire']);
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(server.visits).toEqual(['GET /']);
  });

  test('an application that prevents warn and expire takes over the dialog and the way out', async () => {
    await serve();
    await note(['warn', 'expire']);
    const page = await open();
    await page.waitForFunction(() => (window as unknown as { told: string[] }).told.includes('warn'));
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    await page.waitForFunction(() => (window as unknown as { told: string[] }).told.includes('expire'));
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(server.visits).toEqual(['GET /']);
  });
});

describe('T20', () => {
  test('on the sign-in page and for nobody it does nothing at all', async () => {
    await serve();
    server.session.anonymous = true;
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto('/login');
    await page.waitForTimeout(1500);
    expect(said).toEqual([]);
    expect(server.session.requests.map(({ path }) => path)).toEqual(['ping?start=1&language=en']);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });
});
