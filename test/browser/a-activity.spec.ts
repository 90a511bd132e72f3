import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { launchChromium } from '../support/client/chromium.js';
import { loadModule } from '../support/client/page-module.js';
import type * as listeners from '../../client/dom/activity-listeners.js';

type Watched = typeof window & {
  activity: typeof listeners;
  count: number;
  watch(names?: unknown): void;
};

let browser: Browser;
let page: Page;
let devTools: CDPSession;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(() => page.context().close());
afterAll(() => browser.close());

beforeEach(async () => {
  const context = await browser.newContext({ hasTouch: true });
  page = await context.newPage();
  devTools = await context.newCDPSession(page);
  await page.setContent(
    '<!doctype html><input id="field"><div id="box" style="height:100px;overflow:auto"><p style="height:3000px">Long</p></div>' +
      '<div id="widget" style="width:100px;height:100px">Widget</div><p style="height:3000px">Long</p>',
  );
  await loadModule(page, 'client/dom/activity-listeners.ts', 'activity');
  await page.evaluate(() => {
    const watched = window as unknown as Watched;
    watched.watch = (names) => {
      watched.count = 0;
      const { signal } = new AbortController();
      watched.activity.listenForActivity(() => watched.count++, signal, names as string[] | undefined);
    };
    watched.watch();
  });
});

const count = () => page.evaluate(() => (window as unknown as Watched).count);

/** How often something counted as activity, once it did: the browser delivers some input late. */
async function counted(act: () => Promise<unknown>): Promise<number> {
  const before = await count();
  await act();
  await page.waitForFunction((from) => (window as unknown as Watched).count > from, before);
  return (await count()) - before;
}

/** How often something counted as activity while `act` ran and shortly after, when nothing should. */
async function countedAnyway(act: () => Promise<unknown>): Promise<number> {
  const before = await count();
  await act();
  await page.waitForTimeout(300);
  return (await count()) - before;
}

const moveTo = (x: number, y: number) =>
  devTools.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y, pointerType: 'mouse' });

describe('A1', () => {
  test('pure horizontal and pure vertical moves are activity', async () => {
    await moveTo(10, 10);
    await moveTo(20, 10);
    expect(await counted(() => moveTo(40, 10))).toBe(1);
    expect(await counted(() => moveTo(40, 30))).toBe(1);
  });

  test('presses, keys and held keys, the wheel and touch are activity', async () => {
    expect(await counted(() => page.mouse.down())).toBe(1);
    expect(await counted(() => page.keyboard.down('a'))).toBe(1);
    expect(await counted(() => page.keyboard.down('a'))).toBe(1);
    expect(await counted(() => page.mouse.wheel(0, 10))).toBeGreaterThan(0);
    expect(await counted(() => page.touchscreen.tap(50, 50))).toBeGreaterThan(0);
    expect(
      await counted(() =>
        devTools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: 5, y: 5 }] }),
      ),
    ).toBeGreaterThan(0);
    expect(
      await counted(() =>
        devTools.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: 5, y: 95 }] }),
      ),
    ).toBeGreaterThan(0);
  });

  test('text that comes without keys, by an input method or dictation, is activity', async () => {
    await page.focus('#field');
    expect(await counted(() => page.keyboard.insertText('語'))).toBeGreaterThan(0);
    const compose = () =>
      devTools.send('Input.imeSetComposition', { text: 'か', selectionStart: 1, selectionEnd: 1 });
    expect(await counted(compose)).toBeGreaterThan(0);
  });

  test('scrolling an inner box by the wheel is activity', async () => {
    await page.hover('#box');
    expect(await counted(() => page.mouse.wheel(0, 50))).toBeGreaterThan(0);
    await page.waitForFunction(() => document.querySelector('#box')!.scrollTop > 0);
  });

  test('focus, blur and visibility are not activity', async () => {
    const before = await count();
    await page.focus('#field');
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    const other = await page.context().newPage();
    await other.bringToFront();
    await other.close();
    await page.bringToFront();
    expect(await count()).toBe(before);
  });
});

describe('A2', () => {
  test("the application's own events count when it names them, and only those it names", async () => {
    await page.evaluate(() => (window as unknown as Watched).watch(['call:talking', 'focusin']));
    expect(
      await counted(() =>
        page.evaluate(() => document.body.dispatchEvent(new CustomEvent('call:talking', { bubbles: true }))),
      ),
    ).toBe(1);
    expect(await counted(() => page.focus('#field'))).toBeGreaterThan(0);
  });

  test.each([[[7]], [[null]], [['keydown', {}]], ['keydown'], [7]])(
    '%j is no list of events',
    async (names) => {
      const error = page.evaluate((given) => (window as unknown as Watched).watch(given), names);
      await expect(error).rejects.toThrow(/TypeError/);
    },
  );
});

describe('A3', () => {
  test('a widget that stops its events hides nobody', async () => {
    await page.evaluate(() => {
      for (const type of ['keydown', 'pointerdown', 'pointermove', 'wheel'])
        document.addEventListener(type, (event) => event.stopImmediatePropagation(), true);
    });
    expect(await counted(() => page.click('#widget'))).toBeGreaterThan(0);
    expect(await counted(() => page.keyboard.press('b'))).toBeGreaterThan(0);
  });
});

describe('A4', () => {
  test('events that a script makes are not activity', async () => {
    const made = await countedAnyway(() =>
      page.evaluate(() => {
        const field = document.querySelector('#field')!;
        for (const type of ['pointerdown', 'pointermove', 'keydown', 'input', 'wheel', 'touchstart'])
          field.dispatchEvent(new CustomEvent(type, { bubbles: true }));
        field.dispatchEvent(new MouseEvent('pointermove', { bubbles: true, screenX: 5, screenY: 7 }));
        field.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, key: 'a' }));
        (field as HTMLInputElement).click();
      }),
    );
    expect(made).toBe(0);
  });

  test('a page that scrolls itself is not activity', async () => {
    const before = await count();
    await page.evaluate(async () => {
      for (const target of [document.documentElement, document.querySelector('#box')!])
        await new Promise((resolve) => {
          addEventListener('scroll', resolve, { capture: true, once: true });
          target.scrollTop = 200;
        });
    });
    expect(await count()).toBe(before);
  });

  test('a page that scrolls itself is not activity a while after a press, a tap or a swipe', async () => {
    const scrolled = () =>
      countedAnyway(() =>
        page.evaluate(async () => {
          const isMoved = new Promise((resolve) => addEventListener('scroll', resolve, { once: true }));
          scrollBy(0, 5);
          await isMoved;
        }),
      );
    /** Nobody waits for it. */
    const later = (by: number) =>
      page.evaluate((ms) => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + ms;
      }, by);
    await page.mouse.move(20, 20);
    await counted(() => page.mouse.down());
    await later(2000);
    // A scroll bar may be dragged, but not for ever.
    expect(await scrolled()).toBe(1);
    await later(60_000);
    expect(await scrolled()).toBe(0);
    await page.mouse.up();
    await later(2000);
    expect(await scrolled()).toBe(0);
    await counted(() => page.touchscreen.tap(20, 20));
    await later(2000);
    expect(await scrolled()).toBe(0);
    const swipe = { x: 50, y: 300, yDistance: -80, gestureSourceType: 'touch' } as const;
    await counted(() => devTools.send('Input.synthesizeScrollGesture', swipe));
    await later(2000);
    expect(await scrolled()).toBe(0);
  });

  test('a mouse that rests is not activity, whatever moves are reported', async () => {
    await moveTo(30, 30);
    await moveTo(31, 30);
    const resting = await countedAnyway(async () => {
      for (let reported = 0; reported < 30; reported++) await moveTo(31, 30);
    });
    expect(resting).toBe(0);
  });

  test('the first reported place of the mouse is not activity', async () => {
    expect(await countedAnyway(() => moveTo(60, 60))).toBe(0);
  });
});

describe('A5', () => {
  test('10,000 moves cost less than 20 ms', async () => {
    const cost = await page.evaluate(() => {
      const handlers: ((event: unknown) => void)[] = [];
      const original = window.addEventListener.bind(window);
      window.addEventListener = (type: string, handler: unknown) => {
        if (type === 'pointermove') handlers.push(handler as (event: unknown) => void);
      };
      const watched = window as unknown as Watched;
      let last = 0;
      // What the monitor does for a move while no deadline is near: two clocks and a comparison.
      const report = () => (last = Math.max(last, performance.now() + Date.now()));
      watched.activity.listenForActivity(report, new AbortController().signal);
      window.addEventListener = original;
      const event = {
        type: 'pointermove',
        isTrusted: true,
        timeStamp: 1,
        screenX: 0,
        screenY: 0,
        buttons: 0,
      };
      // The best of many rounds that are shorter than a turn on the processor: what else runs there is not the subject.
      const rounds = Array.from({ length: 200 }, () => {
        const start = performance.now();
        for (let move = 0; move < 500; move++) {
          event.screenX++;
          handlers[0]!(event);
        }
        return (performance.now() - start) * 20;
      });
      return { ms: Math.min(...rounds), last };
    });
    expect(cost.last).toBeGreaterThan(0);
    expect(cost.ms).toBeLessThan(20);
  });
});
