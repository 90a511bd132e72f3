import { mkdir, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FrontDesk, type Visit } from '../support/front-desk.js';

const FOLDER = new URL('../../docs/images/', import.meta.url);
const PICTURE = new URL('warning-dialog.png', FOLDER);

let desk: FrontDesk;
let visit: Visit;

beforeAll(async () => {
  desk = await FrontDesk.open({ warnAfter: 1, expireAfter: 61 });
  visit = await desk.signedIn('reception', {
    viewport: { width: 1120, height: 620 },
    deviceScaleFactor: 2,
    colorScheme: 'light',
  });
});
afterAll(async () => {
  await visit.close();
  await desk.close();
});

/** `UPDATE_PICTURES=1 npm test -- --only browser` takes the picture anew. */
test('the picture in the README is there, and can be taken: the warning in front of the list of patients', async () => {
  const { page } = await visit.open('/patients');
  const dialog = page.locator('session-security-dialog dialog');
  await dialog.waitFor({ state: 'visible' });

  const picture = await page.screenshot();
  if (process.env['UPDATE_PICTURES']) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(PICTURE, picture);
  }

  const box = await dialog.boundingBox();
  expect(box!.x + box!.width / 2).toBeCloseTo(560, 0);
  expect(await dialog.getByRole('button').allTextContents()).toEqual(['Stay signed in', 'Sign out now']);
  expect((await stat(PICTURE)).size).toBeGreaterThan(10_000);
});
