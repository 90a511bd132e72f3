import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

const NOTE = 'half a note';
const PAGE = { body: '<main><h1>Patients</h1><p>Ada Lovelace</p><input id="field"></main>' };

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let pass: (seconds: number) => Promise<void>;
let problems: string[];

afterEach(() => expect(problems).toEqual([]));

async function serve(client = {}): Promise<void> {
  ({ server, context, pass } = await openStage({ warnAfter: 60, expireAfter: 120 }));
  await context.clock.install();
  server.session.client = { application: 'clinic', onExpire: 'lock', loginUrl: '/login', ...client };
  server.session.signIn('ada.1');
  server.pages.set('/', PAGE);
  problems = [];
}

async function open(path = '/'): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(path);
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() !== 'starting');
  return page;
}

/** A page with work in it, whose session the server has ended. */
async function locked(reason = 'idle'): Promise<Page> {
  const page = await open();
  await page.locator('#field').pressSequentially(NOTE);
  server.session.end(reason);
  await tellTabs(page);
  await panelOf(page).waitFor();
  return page;
}

/** As a sign-in page tells the tabs that nobody is signed in: they ask the server. */
const tellTabs = (page: Page) =>
  page.evaluate(() => {
    const channel = new BroadcastChannel('session-security:clinic');
    channel.postMessage({ owner: '' });
    channel.close();
  });

const panelOf = (page: Page) => page.getByRole('alertdialog', { name: 'You have been signed out' });
const signInOf = (page: Page) => page.getByRole('button', { name: 'Sign in' });
const isSeen = (page: Page) => page.evaluate(() => document.body.checkVisibility());
const isUncovered = (page: Page) => page.waitForFunction(() => document.body.checkVisibility());

describe('T16 a locked page', () => {
  test('T16 shows nothing of itself: not to the eye, the keyboard, find-in-page or the accessibility tree', async () => {
    await serve();
    const page = await locked();
    expect(await isSeen(page)).toBe(false);
    expect(await page.evaluate(() => document.documentElement.innerText)).toBe('');
    const devTools = await context.newCDPSession(page);
    const { nodes } = await devTools.send('Accessibility.getFullAXTree');
    const names = nodes.filter(({ ignored }) => !ignored).map(({ name }) => `${name?.value}`);
    expect(names.filter((name) => /Ada|Patients|half a note/.test(name))).toEqual([]);
    for (const key of ['Escape', 'Escape', 'Escape', 'Tab', 'Shift+Tab', 'Tab'])
      await page.keyboard.press(key);
    expect(await panelOf(page).isVisible()).toBe(true);
    const focused = await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id);
    expect(focused).toBe('sign-in');
    expect(server.visits).toEqual(['GET /']);
  });

  test('T16 is there again with all that was in it when the same user has signed in in another tab', async () => {
    await serve();
    const page = await locked();
    const asked = server.session.requests.length;
    server.session.signIn('ada.2');
    await open();
    await isUncovered(page);
    expect(await page.inputValue('#field')).toBe(NOTE);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('field');
    expect(await panelOf(page).count()).toBe(0);
    expect(await page.evaluate(() => globalThis.sessionSecurity!.phase())).toBe('active');
    expect(server.visits).toEqual(['GET /', 'GET /']);
    // It was only asked after; nothing of the old session was told to the new one.
    const later = server.session.requests.slice(asked);
    expect(later.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('T16 signs in in a window of its own, which closes by itself', async () => {
    await serve();
    const page = await locked();
    const [popup] = await Promise.all([context.waitForEvent('page'), signInOf(page).click()]);
    await popup.waitForURL('**/login');
    expect(await popup.evaluate(() => window.opener as unknown)).toBeNull();
    const closed = popup.waitForEvent('close');
    server.session.signIn('ada.2');
    // Not `goto`: the window may be closed before the new page is loaded.
    await popup.evaluate(() => location.assign('/'));
    await Promise.all([closed, isUncovered(page)]);
    expect(await page.inputValue('#field')).toBe(NOTE);
  });

  test('T16 is loaded anew when somebody else has signed in', async () => {
    await serve();
    const page = await locked();
    const frames = page.evaluate(watchContent);
    server.session.signIn('bob.1');
    const loaded = page.waitForEvent('load');
    await open();
    await loaded;
    // The document is another one, so what the old one has seen is lost with it.
    await expect(frames).rejects.toThrow();
    expect(await page.inputValue('#field')).toBe('');
    await isUncovered(page);
    expect(server.visits).toEqual(['GET /', 'GET /', 'GET /']);
  });

  test('T16 is loaded anew when nobody can tell whether the user is the same', async () => {
    await serve();
    server.session.signIn('life-1');
    const page = await locked();
    server.session.signIn('life-2');
    const loaded = page.waitForEvent('load');
    await open();
    await loaded;
    expect(await page.inputValue('#field')).toBe('');
  });

  test('T16 is watched again: it warns, and locks again', async () => {
    await serve({ dismiss: 'button' });
    const page = await locked();
    server.session.signIn('ada.2');
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await isUncovered(page);
    await pass(60);
    await page.getByRole('alertdialog', { name: 'Are you still there?' }).waitFor();
    await pass(60);
    await panelOf(page).waitFor();
    expect(await page.locator('session-security-dialog').count()).toBe(1);
    server.session.signIn('ada.3');
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await isUncovered(page);
    expect(await page.inputValue('#field')).toBe(NOTE);
  });

  test('T16 stays locked while the server cannot be reached, and asks again by itself', async () => {
    await serve();
    const page = await locked();
    server.session.signIn('ada.2');
    let refused = 0;
    server.interfere = (response) => {
      refused++;
      response.destroy();
      return true;
    };
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await eventually('a request that fails', () => refused || undefined, 15_000);
    expect(await isSeen(page)).toBe(false);
    server.interfere = undefined;
    await isUncovered(page);
  });

  test('T16 asks again when it is told of the sign-in while the server still says that nobody is there', async () => {
    await serve();
    const page = await locked();
    let answer: (() => void) | undefined;
    server.interfere = async (response) => {
      server.interfere = undefined;
      const { status, body } = server.session.handle('GET', 'ping', undefined);
      await new Promise<void>((resolve) => (answer = resolve));
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await eventually('the question', () => answer, 15_000);
    server.session.signIn('ada.2');
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    answer!();
    await isUncovered(page);
    expect(await page.inputValue('#field')).toBe(NOTE);
  });

  test.each([
    ['that cannot be reached', (response: ServerResponse) => void response.destroy()],
    ['that is overloaded', (response: ServerResponse) => void response.writeHead(503).end()],
  ])('T16 stays locked when the user is back, but the page then meets a server %s', async (_, refuse) => {
    await serve();
    const page = await locked();
    server.session.signIn('ada.2');
    server.interfere = (response, path) => {
      if (!path.startsWith('ping?start')) return false;
      refuse(response);
      return true;
    };
    await page.evaluate(() => {
      const failed = new Promise((resolve) =>
        globalThis.sessionSecurity!.addEventListener('error', () => setTimeout(resolve)),
      );
      dispatchEvent(new Event('focus'));
      return failed;
    });
    expect(await isSeen(page)).toBe(false);
    expect(await panelOf(page).isVisible()).toBe(true);

    // The new session ends, too, before the page has heard of it.
    server.session.end('idle');
    server.interfere = undefined;
    const asked = server.session.requests.length;
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.waitForFunction(() => globalThis.sessionSecurity!.phase() === 'expired');
    await eventually(
      'the look of the lock',
      () => server.session.requests.length > asked + 1 || undefined,
      15_000,
    );
    expect(await isSeen(page)).toBe(false);
    expect(await panelOf(page).count()).toBe(1);

    server.session.signIn('ada.3');
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await isUncovered(page);
    expect(await page.inputValue('#field')).toBe(NOTE);
    expect(await panelOf(page).count()).toBe(0);
  });

  test('T12 that is destroyed before it has heard from the server stays covered, without the panel', async () => {
    await serve();
    const page = await locked();
    server.session.signIn('ada.2');
    server.interfere = (response, path) => {
      if (path.startsWith('ping?start')) response.destroy();
      return response.destroyed;
    };
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await page.waitForFunction(() => globalThis.sessionSecurity!.phase() === 'starting');
    await page.evaluate(() => globalThis.sessionSecurity!.destroy());
    expect(await isSeen(page)).toBe(false);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('T16 an application that signs in by itself says so by stay()', async () => {
    await serve({ dialog: false });
    const page = await open();
    server.session.end('idle');
    await tellTabs(page);
    await page.waitForFunction(() => !document.body.checkVisibility());
    expect(await page.locator('session-security-dialog').count()).toBe(0);
    server.session.signIn('ada.2');
    // Until the page is locked, there is nothing to stay for.
    await page.waitForFunction(() => {
      globalThis.sessionSecurity!.stay();
      return document.body.checkVisibility();
    });
  });

  test('T16 whose user signs out is left, because that is what the user wants', async () => {
    await serve({ logoutUrl: '/login' });
    const page = await open();
    await page.evaluate(() => void globalThis.sessionSecurity!.signOut());
    await page.waitForURL('**/login');
  });

  test('T16 goes on also when the same user had signed in again before it noticed', async () => {
    await serve();
    const page = await open();
    await page.fill('#field', NOTE);
    server.session.signIn('ada.2');
    await open();
    await eventually('the question', () => server.session.pings.length > 0 || undefined, 15_000);
    await page.waitForFunction(
      () => globalThis.sessionSecurity!.phase() === 'active' && document.body.checkVisibility(),
    );
    expect(await page.inputValue('#field')).toBe(NOTE);
    expect(server.visits).toEqual(['GET /', 'GET /']);
  });

  test('T12 that is destroyed leaves no listener and no panel, and stays covered', async () => {
    await serve();
    const page = await locked();
    await page.evaluate(() => globalThis.sessionSecurity!.destroy());
    expect(await page.locator('session-security-dialog').count()).toBe(0);
    const asked = server.session.requests.length;
    server.session.signIn('ada.2');
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await open();
    expect(await isSeen(page)).toBe(false);
    expect(server.session.requests.length).toBe(asked + 1);
  });

  test('D5 speaks the language of the page', async () => {
    await serve({ texts: { lockedTitle: 'Sie wurden abgemeldet', signIn: 'Anmelden' } });
    const page = await open();
    server.session.end('idle');
    await tellTabs(page);
    await page.getByRole('alertdialog', { name: 'Sie wurden abgemeldet' }).waitFor();
    await page.getByRole('button', { name: 'Anmelden' }).waitFor();
  });
});

describe('T16 what is loaded for the end', () => {
  test('T16 is loaded with the warning, so that the end needs no network', async () => {
    await serve({ onExpire: 'navigate', dismiss: 'button' });
    const page = await open();
    expect(server.scriptRequests).toEqual(['/session-security/client.js']);
    server.session.lastActivityAt -= 60_000;
    const loaded = page.waitForResponse('**/client/ending.js');
    await page.reload();
    await page.getByRole('alertdialog').waitFor();
    await (await loaded).finished();
    server.withholds = () => true;
    server.session.end('idle');
    await tellTabs(page);
    await page.waitForURL('**/login*');
  });

  test('T15 without it the page is covered all the same, and loaded again by a GET', async () => {
    await serve({ onExpire: 'navigate' });
    server.withholds = (path) => path.endsWith('ending.js');
    const page = await open('/#notes');
    await page.evaluate(() => {
      globalThis.sessionSecurity!.addEventListener('expire', () => {
        queueMicrotask(() => sessionStorage.setItem('covered', `${!document.body.checkVisibility()}`));
      });
    });
    server.session.anonymous = true;
    const loaded = page.waitForEvent('load');
    await tellTabs(page);
    await loaded;
    expect(server.visits).toEqual(['GET /', 'GET /']);
    expect(await page.evaluate(() => sessionStorage.getItem('covered'))).toBe('true');
  });
});

/** Resolves when any frame of this document shows its content. */
function watchContent(): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.body.checkVisibility()) resolve();
      else requestAnimationFrame(look);
    };
    look();
  });
}
