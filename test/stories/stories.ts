import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import type { SampleSettings } from '../../sample/settings.js';
import type { FrontDesk, Tab, Visit } from '../support/front-desk.js';
import { eventually, instant } from '../support/real-time.js';

const WARN_AFTER = 5;
const EXPIRE_AFTER = 10;
const STORY_MS = 120_000;

/** Opens the front desk, wherever it runs. */
type OpenFrontDesk = (limits: SampleSettings['limits']) => Promise<FrontDesk>;

/** One front desk for the stories of a file; each lets somebody sign in there, once. */
function frontDeskOf(open: OpenFrontDesk) {
  let desk: FrontDesk;
  let visit: Visit;

  beforeAll(async () => {
    desk = await open({ warnAfter: WARN_AFTER, expireAfter: EXPIRE_AFTER });
  }, STORY_MS);
  afterEach(async () => {
    await visit.close();
    await desk.sessions.endAll('reception');
    desk.events.length = 0;
  });
  afterAll(() => desk.close());

  return async (options?: BrowserContextOptions): Promise<{ desk: FrontDesk; visit: Visit }> => {
    visit = await desk.signedIn('reception', options);
    return { desk, visit };
  };
}

/**
 * The stories of one or two people at the front desk.
 *
 * @param tolerance by how many seconds the server may be late, as it states
 */
export function tellStories(open: OpenFrontDesk, tolerance: number): void {
  const enter = frontDeskOf(open);

  function warned(tab: Tab): Promise<number> {
    return eventually('the warning', () => tab.firstSeen('warning'), (WARN_AFTER + 2 + tolerance) * 1000);
  }

  function gone(tab: Tab): Promise<number> {
    return eventually('the content gone', () => tab.contentGoneAt(), (EXPIRE_AFTER + 2 + tolerance) * 1000);
  }

  /** Ends are told within the tolerance, when no request has found them before. */
  function told(desk: FrontDesk): Promise<unknown> {
    return eventually('the end told', () => desk.eventsOf('expire').length > 0, (1 + tolerance) * 1000);
  }

  test(
    'story 1: nobody touches anything, so both tabs warn at 5 s, both hide their content at 10 s, the next request is anonymous, and one expire event tells it',
    async () => {
      const { desk, visit } = await enter();
      const tabs = [await visit.open('/patients'), await visit.open('/waiting-room')];
      const idleSince = await desk.lastActivityAt();

      const warnedAfter = (await Promise.all(tabs.map(warned))).map((at) => secondsBetween(idleSince, at));
      const goneAfter = (await Promise.all(tabs.map(gone))).map((at) => secondsBetween(idleSince, at));

      measured({ 'warning A': warnedAfter[0]!, 'warning B': warnedAfter[1]! });
      measured({ 'gone A': goneAfter[0]!, 'gone B': goneAfter[1]! });
      for (const seconds of warnedAfter) expectBetween(seconds, 5, 6 + tolerance);
      for (const seconds of goneAfter) expectBetween(seconds, 10, 11 + tolerance);
      await Promise.all(tabs.map((tab) => tab.arrivedAtSignIn()));
      expect(await visit.isSignedIn()).toBe(false);
      await told(desk);
      expect(desk.eventsOf('expire')).toHaveLength(1);
    },
    STORY_MS,
  );

  test(
    'story 2: a key in one tab while both warn calls the warning off in both within 250 ms, and both are alive at 12 s',
    async () => {
      const { desk, visit } = await enter();
      const tabs = [await visit.open('/patients'), await visit.open('/patients/1041')];
      const idleSince = await desk.lastActivityAt();
      await Promise.all(tabs.map(warned));

      const pressedAt = await pressKey(tabs[0]!);
      const calledOff = await Promise.all(
        tabs.map((tab) => eventually('the warning gone', () => tab.firstSeen('content', pressedAt), 2000)),
      );

      measured({ 'gone A ms': calledOff[0]! - pressedAt, 'gone B ms': calledOff[1]! - pressedAt });
      for (const at of calledOff) expectBetween(at - pressedAt, 0, 250);
      await instant(idleSince + 12_000);
      for (const tab of tabs) expect(['content', 'warning']).toContain(tab.view);
      expect(await desk.sessions.list('reception')).toHaveLength(1);
      expect(await visit.isSignedIn()).toBe(true);
    },
    STORY_MS,
  );

  test(
    'story 3: a key at 3.5 s puts the warning off until 5 s after it',
    async () => {
      const { desk, visit } = await enter();
      const tab = await visit.open('/patients');
      const idleSince = await desk.lastActivityAt();

      await instant(idleSince + 3500);
      const pressedAt = await pressKey(tab);
      const warnedAfter = secondsBetween(
        pressedAt,
        await eventually('the warning', () => tab.firstSeen('warning'), (7 + tolerance) * 1000),
      );

      measured({ warning: warnedAfter });
      expectBetween(warnedAfter, 5, 6 + tolerance);
    },
    STORY_MS,
  );

  test(
    'story 4: without any script, requests at 0, 9 and 14 s are signed in, and after 15 s of silence nobody is',
    async () => {
      const { desk, visit } = await enter({ javaScriptEnabled: false });
      const page = await visit.context.newPage();
      const startedAt = await desk.lastActivityAt();

      for (const second of [9, 14]) {
        await instant(startedAt + second * 1000);
        await page.goto('/patients');
        expect(await page.textContent('h1')).toBe('Patients today');
      }
      await instant((await desk.lastActivityAt()) + 15_000);
      await page.goto('/patients');

      expect(new URL(page.url()).pathname).toBe('/sign-in');
      expect(await page.getAttribute('[data-ended]', 'data-ended')).toBe('idle');
      await told(desk);
      expect(desk.eventsOf('expire')).toHaveLength(1);
    },
    STORY_MS,
  );
}

/**
 * The story that takes a minute, apart from the others so that they can be told side by side.
 *
 * @param open opens the front desk, wherever it runs
 */
export function tellStoryOfTheMinute(open: OpenFrontDesk): void {
  const enter = frontDeskOf(open);

  test(
    'story 5: five tabs, the first of them active for 60 s, send at most 13 pings in all',
    async () => {
      const { visit } = await enter();
      const tabs: Tab[] = [];
      for (let index = 0; index < 5; index++) tabs.push(await visit.open('/patients/1041'));
      await Promise.all(tabs.map(({ page }) => page.waitForLoadState('networkidle')));
      let pings = 0;
      visit.context.on('request', (request) => {
        if (new URL(request.url()).pathname === '/session-security/ping') pings += 1;
      });

      const startedAt = Date.now();
      for (let move = 1; Date.now() < startedAt + 60_000; move++) {
        await tabs[0]!.page.mouse.move(100 + (move % 2) * 50, 100 + (move % 3) * 50);
        // As close as a hand moves: a ping tells the last move, so the next one is due 5 s after that.
        await instant(startedAt + move * 100);
      }

      measured({ pings });
      expect(pings).toBeGreaterThan(0);
      expect(pings).toBeLessThanOrEqual(13);
      for (const tab of tabs) expect(tab.seen.map(({ name }) => name)).toEqual(['content']);
    },
    STORY_MS,
  );
}

/** Prints what was measured, so that a run shows how near to its bounds a story is. */
function measured(values: Record<string, number>): void {
  const texts = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`    measured: ${texts.join(', ')}\n`);
}

const secondsBetween = (from: number, to: number) => (to - from) / 1000;

/** Presses a key; answers when the page was told of it. */
async function pressKey({ page }: Tab): Promise<number> {
  await page.evaluate(() => {
    addEventListener(
      'keydown',
      ({ timeStamp }) => (document.body.dataset['pressedAt'] = `${performance.timeOrigin + timeStamp}`),
      { capture: true, once: true },
    );
  });
  await page.keyboard.press('Shift');
  return Number(await page.getAttribute('body', 'data-pressed-at'));
}

function expectBetween(value: number, least: number, most: number): void {
  expect(value).toBeGreaterThanOrEqual(least);
  expect(value).toBeLessThanOrEqual(most);
}
