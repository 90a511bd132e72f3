import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FrontDesk, signIn, type Tab, type Visit } from '../support/front-desk.js';

jest.setTimeout(30_000);

const NOTE = 'Called back, will come on Tuesday.';

let desk: FrontDesk;
let visit: Visit;

beforeEach(async () => {
  desk = await FrontDesk.open({ warnAfter: 2, expireAfter: 4 });
  visit = await desk.signedIn('reception');
});
afterEach(async () => {
  await visit.close();
  await desk.close();
});

/** A note is written and not saved, and the desk is left until everybody is signed out. */
async function writeAndLeave(): Promise<Tab> {
  const tab = await visit.open('/patients/1041');
  await tab.page.waitForFunction(() => globalThis.sessionSecurity?.forms);
  await tab.page.fill('#text', NOTE);
  await tab.arrivedAtSignIn();
  return tab;
}

describe('F4 the note of the sample', () => {
  test('is back after the time ran out and the same user signed in again, and can be saved', async () => {
    const { page } = await writeAndLeave();
    await signIn(page, 'reception');
    expect(new URL(page.url()).pathname).toBe('/patients/1041');
    await page.getByRole('button', { name: 'Put it back' }).click();
    expect(await page.inputValue('#text')).toBe(NOTE);

    await page.getByRole('button', { name: 'Save note' }).click();
    await page.locator('.notes').getByText(NOTE).waitFor();
  });

  test('is not offered to somebody else who signs in there', async () => {
    const { page } = await writeAndLeave();
    await signIn(page, 'manager');
    expect(new URL(page.url()).pathname).toBe('/patients/1041');
    await page.waitForLoadState('networkidle');
    expect(await page.locator('session-security-drafts').count()).toBe(0);
    expect(await page.inputValue('#text')).toBe('');
  });
});
