import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;

/** A page whose warning is called off by any activity, and is shown. */
async function warned(client = {}, options: BrowserContextOptions = {}): Promise<Page> {
  ({ server, context } = await openStage({ warnAfter: 60, expireAfter: 120 }, options));
  server.session.client = { application: 'clinic', ...client };
  const page = await context.newPage();
  server.session.signIn();
  server.session.lastActivityAt -= 60_000;
  await page.clock.install();
  await page.goto('/');
  await dialogOf(page).waitFor();
  // What looks after the button is loaded now, and has to run, too: who imports it again comes after the client.
  await page.evaluate("import('/session-security/client/ending.js').then(() => true)");
  return page;
}

const dialogOf = (page: Page) => page.getByRole('alertdialog');
const signOutOf = (page: Page) => page.getByRole('button', { name: 'Sign out now' });
const calledOff = (page: Page) => dialogOf(page).waitFor({ state: 'hidden' });
const signedOut = () => eventually('the end', () => server.session.ended === 'logout', 15_000);

async function middleOf(locator: Locator): Promise<[number, number]> {
  const { x, y, width, height } = (await locator.boundingBox())!;
  return [x + width / 2, y + height / 2];
}

describe('D6 where any activity calls the warning off', () => {
  test('D6 the mouse on its way calls it off, and Sign out now is left within reach', async () => {
    const page = await warned();
    await page.mouse.move(5, 5);
    await page.mouse.move(50, 50);
    await calledOff(page);
    await page.mouse.move(...(await middleOf(signOutOf(page))), { steps: 5 });
    await page.mouse.down();
    await page.mouse.up();
    await signedOut();
    await page.waitForURL('**/login');
  });

  test('D6 the button goes by itself, but not from under the mouse', async () => {
    const page = await warned();
    await page.mouse.move(5, 5);
    await page.mouse.move(50, 50);
    await calledOff(page);
    await signOutOf(page).hover();
    await page.clock.runFor(30_000);
    expect(await signOutOf(page).isVisible()).toBe(true);
    await page.mouse.move(5, 5);
    await page.clock.runFor(6000);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test.each(['ltr', 'rtl'])('D6 the button is left where a line ends, from %s', async (dir) => {
    const page = await warned({ texts: { dir } });
    await page.mouse.move(5, 5);
    await page.mouse.move(50, 50);
    await calledOff(page);
    const [x, y] = await middleOf(signOutOf(page));
    const { width, height } = page.viewportSize()!;
    expect([x > width / 2, y > height / 2]).toEqual([dir === 'ltr', true]);
  });

  test.each(['Enter', 'Space'])(
    'D2 by keys Sign out now is reached with Tab and pressed with %s',
    async (key) => {
      const page = await warned();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Tab');
      expect(await dialogOf(page).isVisible()).toBe(true);
      // The answer to what a key does as activity would come before the key is up again.
      await page.keyboard.down(key);
      await page.waitForTimeout(200);
      await page.keyboard.up(key);
      await signedOut();
      expect(server.session.pings.filter(({ method }) => method === 'POST')).toEqual([]);
    },
  );

  test('D6 a finger on Sign out now signs out, however long it stays', async () => {
    const page = await warned({}, { hasTouch: true });
    const [x, y] = await middleOf(signOutOf(page));
    const devTools = await context.newCDPSession(page);
    await devTools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    await page.waitForTimeout(200);
    expect(await dialogOf(page).isVisible()).toBe(true);
    await devTools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await signedOut();
  });

  test('D6 a mouse that is on Sign out now already signs out with a slow press', async () => {
    const page = await warned();
    const [x, y] = await middleOf(signOutOf(page));
    // The first place of a mouse that is reported is no activity.
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.waitForTimeout(200);
    expect(await dialogOf(page).isVisible()).toBe(true);
    await page.mouse.up();
    await signedOut();
  });

  test('T7 a key calls it off at once, and leaves nothing', async () => {
    const page = await warned();
    await page.keyboard.press('Shift');
    await calledOff(page);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('D6 who has pressed Stay signed in is left nothing', async () => {
    const page = await warned();
    await page.keyboard.press('Enter');
    await calledOff(page);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('D6 where only the button calls it off, both buttons can be reached, and nothing is left', async () => {
    const page = await warned({ dismiss: 'button' });
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await calledOff(page);
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('T16 what is left is gone when the page is covered', async () => {
    const page = await warned();
    await page.mouse.move(5, 5);
    await page.mouse.move(50, 50);
    await calledOff(page);
    await signOutOf(page).hover();
    server.interfere = () => new Promise(() => {});
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await page.waitForFunction(() => !document.body.checkVisibility());
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });

  test('T12 destroy leaves nothing of it', async () => {
    const page = await warned();
    await page.mouse.move(5, 5);
    await page.mouse.move(50, 50);
    await calledOff(page);
    await signOutOf(page).waitFor();
    await page.evaluate(() => globalThis.sessionSecurity!.destroy());
    expect(await page.locator('session-security-dialog').count()).toBe(0);
  });
});
