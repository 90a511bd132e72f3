import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { hasTold, noteEvents, toldEvents } from '../support/client/client-events.js';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;

async function serve(client = {}): Promise<void> {
  ({ server, context, pass } = await openStage({ warnAfter: 60, expireAfter: 120 }));
  await context.clock.install();
  server.session.client = client;
}

async function open(path = '/'): Promise<Page> {
  const page = await context.newPage();
  server.session.touch();
  await page.goto(path);
  await isWatched(page);
  return page;
}

const isWatched = (page: Page) =>
  page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
const isCovered = (page: Page) => page.waitForFunction(() => !document.body.checkVisibility());
const isUncovered = (page: Page) => page.waitForFunction(() => document.body.checkVisibility());

describe('T6', () => {
  test('a page that is offline at its end is hidden everywhere, says why, and comes back as it was', async () => {
    await serve({ dialog: true });
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
    await pass(121);
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
  test('starting twice is one instance, by script tag and by module, and no element of the page', async () => {
    await serve();
    const body = '<form id="sessionSecurity"><input name="stay"></form>';
    server.pages.set('/', { policy: "script-src 'self' 'unsafe-inline'", body });
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

  test('an element of the page that is called currentScript does not lead the client elsewhere', async () => {
    await serve();
    server.pages.set('/', { body: '<img name="currentScript" src="/elsewhere/picture">' });
    const page = await open();
    expect(await page.evaluate(() => (document.currentScript as unknown) instanceof HTMLImageElement)).toBe(
      true,
    );
    expect(server.session.requests.length).toBe(1);
  });

  test('destroy leaves no element, no listener and no global', async () => {
    await serve({ dismiss: 'button' });
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
    const page = await context.newPage();
    await page.goto('/');
    const phase = () => page.evaluate(() => globalThis.sessionSecurity?.phase());
    // Other ways to wait put listeners of the tool's own into the page.
    await eventually('the client', async () => (await phase()) === 'active', 15_000);
    await pass(60);
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
    await serve();
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
    await page.waitForURL('**/note');
    await isWatched(page);
    await pass(120);
    await page.waitForURL('**/login?returnTo=%2Fnote');
    expect(server.visits).toEqual(['GET /', 'POST /note', 'GET /login?returnTo=%2Fnote']);
    expect(dialogs).toEqual([]);
  });

  test.each([
    ['without an address', null, ''],
    [
      'with an address that is a script',
      "javascript:document.title = 'ran'",
      '&returnTo=%2F%3Ffrom%3Dlist%23notes',
    ],
  ])(
    '%s to sign in at, the page is loaded again by a GET, without its fragment',
    async (_, redirectTo, way) => {
      await serve();
      server.session.redirectTo = redirectTo;
      const page = await open('/?from=list#notes');
      await pass(120);
      await page.waitForFunction(() => location.hash === '');
      await page.waitForLoadState();
      expect(server.visits).toEqual(['GET /?from=list', `GET /?from=list${way}`]);
    },
  );
});

describe('T16', () => {
  test('with onExpire: event the application is told and does the rest', async () => {
    await serve({ onExpire: 'event' });
    await noteEvents(context);
    const page = await open();
    await pass(120);
    await hasTold(page, 'expire');
    // A slow machine may lose a request on the way.
    const told = (await toldEvents(page)).filter((type) => type !== 'error');
    expect(told.slice(-2)).toEqual(['cover', 'expire']);
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(server.visits).toEqual(['GET /']);
  });

  test('an application that prevents warn and expire takes over the dialog and the way out', async () => {
    await serve();
    await noteEvents(context, ['warn', 'expire']);
    const page = await open();
    await pass(60);
    await hasTold(page, 'warn');
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    await pass(60);
    await hasTold(page, 'expire');
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
    const answered = page.waitForResponse('**/ping?start=1*');
    await page.goto('/login');
    await (await answered).finished();
    await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'inert');
    await pass(600);
    await page.waitForLoadState('networkidle');
    expect(said).toEqual([]);
    expect(server.session.requests.map(({ path }) => path)).toEqual(['ping?start=1&language=en']);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });
});
