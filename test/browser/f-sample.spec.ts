import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FrontDesk, signIn, type Visit } from '../support/front-desk.js';

const NOTE = 'Called back, will come on Tuesday.';

let desk: FrontDesk;
let visit: Visit;

beforeAll(async () => {
  desk = await FrontDesk.open({ warnAfter: 4, expireAfter: 8 });
  visit = await desk.signedIn('reception');
});
afterAll(async () => {
  await visit.close();
  await desk.close();
});

test('F4 the note of the sample is back after the time ran out, for nobody else, and can be saved', async () => {
  const tab = await visit.open('/patients/1041');
  const { page } = tab;
  await page.waitForFunction(() => globalThis.sessionSecurity?.forms);
  await page.fill('#text', NOTE);
  await tab.arrivedAtSignIn();

  await signIn(page, 'manager');
  expect(new URL(page.url()).pathname).toBe('/patients/1041');
  await page.waitForLoadState('networkidle');
  expect(await page.locator('session-security-drafts').count()).toBe(0);
  expect(await page.inputValue('#text')).toBe('');

  await visit.context.clearCookies();
  await page.goto('/patients/1041');
  await signIn(page, 'reception');
  expect(new URL(page.url()).pathname).toBe('/patients/1041');
  await page.getByRole('button', { name: 'Put it back' }).click();
  expect(await page.inputValue('#text')).toBe(NOTE);
  await page.getByRole('button', { name: 'Save note' }).click();
  await page.locator('.notes').getByText(NOTE).waitFor();
});
