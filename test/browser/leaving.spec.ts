import { afterEach, describe, expect, test } from '@jest/globals';
import { FrontDesk, signIn, type Tab, type Visit } from '../support/front-desk.js';
import { eventually } from '../support/real-time.js';

let desk: FrontDesk;
let visit: Visit;

afterEach(async () => {
  await visit.close();
  await desk.close();
});

async function openDesk(warnAfter: number, expireAfter: number): Promise<void> {
  desk = await FrontDesk.open({ warnAfter, expireAfter });
  visit = await desk.signedIn();
}

/** How many milliseconds after the instant the tab's content was gone. */
async function goneAfter(tab: Tab, since: number): Promise<number> {
  return (await eventually('the content gone', () => tab.contentGoneAt(), 15_000)) - since;
}

/** When the server ended the session, in epoch milliseconds. */
async function signedOutAt(): Promise<number> {
  return (await eventually('the sign-out', () => desk.eventsOf('end')[0], 15_000)).recordedAt;
}

const dialogButton = ({ page }: Tab, name: string) =>
  page.locator('session-security-dialog').getByRole('button', { name });

describe('T8', () => {
  test("signing out by the application's own form covers the other tab within 1 s", async () => {
    await openDesk(60, 120);
    const [here, there] = [await visit.open('/patients'), await visit.open('/patients/1041')];

    await here.page.getByRole('button', { name: 'Sign out' }).click();

    expect(await goneAfter(there, await signedOutAt())).toBeLessThanOrEqual(1000);
    await Promise.all([here.arrivedAtSignIn(), there.arrivedAtSignIn()]);
  });

  test('the end of a session that one tab finds covers the other tab within 1 s', async () => {
    await openDesk(60, 120);
    const [here, there] = [await visit.open('/patients'), await visit.open('/patients/1041')];
    await desk.sessions.endAll('reception');

    await here.page.goto('/waiting-room');
    const foundAt = await eventually('the end found', () => here.contentGoneAt(), 15_000);

    expect(await goneAfter(there, foundAt)).toBeLessThanOrEqual(1000);
    await Promise.all([here.arrivedAtSignIn(), there.arrivedAtSignIn()]);
    expect(await here.page.getAttribute('[data-ended]', 'data-ended')).toBe('revoked');
  });
});

describe('L1', () => {
  test('after an expiry the way back leads to the same page, with its query and its fragment', async () => {
    await openDesk(2, 5);
    const tab = await visit.open('/patients/1041?from=list#notes');
    await tab.arrivedAtSignIn();

    const { searchParams } = new URL(tab.page.url());
    expect(searchParams.get('returnTo')).toBe('/patients/1041?from=list#notes');
    expect(await tab.page.getAttribute('[data-ended]', 'data-ended')).toBe('idle');
    await signIn(tab.page, 'manager');
    expect(tab.page.url()).toBe(`${desk.address}/patients/1041?from=list#notes`);
  });
});

describe('L3', () => {
  test('Sign out now posts, ends the session in every tab, and the sign-in page says nothing of it', async () => {
    await openDesk(1, 60);
    const [here, there] = [await visit.open('/patients'), await visit.open('/patients/1041')];
    const posted = here.page.waitForRequest('**/session-security/end');
    const button = dialogButton(here, 'Sign out now');
    await button.waitFor();

    await button.click();

    expect((await posted).method()).toBe('POST');
    expect(await goneAfter(there, await signedOutAt())).toBeLessThanOrEqual(1000);
    await Promise.all([here.arrivedAtSignIn(), there.arrivedAtSignIn()]);
    expect(await here.page.locator('[data-ended]').count()).toBe(0);
    expect(await visit.isSignedIn()).toBe(false);
    expect(desk.eventsOf('end')).toMatchObject([{ reason: 'logout' }]);
  });
});

describe('P4', () => {
  test('a page that polls all the time is warned and left on time', async () => {
    await openDesk(3, 6);
    const tab = await visit.open('/waiting-room');
    const idleSince = await desk.lastActivityAt();
    const polled = tab.page.waitForResponse('**/waiting-room/queue');

    expect((await polled).status()).toBe(200);
    // A slow first answer may put it off by a second, and it has to be seen.
    expect(await goneAfter(tab, idleSince)).toBeLessThanOrEqual(8000);
    await tab.arrivedAtSignIn();
    expect(tab.firstSeen('warning')).toBeDefined();
  });
});
