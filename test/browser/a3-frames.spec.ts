import { beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import type * as frameModule from '../../client/frame.js';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

type Watching = typeof window & { frameModule: typeof frameModule; counted: number; messages: number[] };

const policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; frame-src *";
const INNER = '<!doctype html><body><input id="inner"></body>';

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let page: Page;

beforeEach(async () => {
  ({ server, context } = await openStage({ warnAfter: 540, expireAfter: 600 }));
  server.pages.set('/inner', { html: INNER, policy });
  server.pages.set('/deep', { html: '<!doctype html><body><iframe src="/inner"></iframe></body>', policy });
  server.pages.set('/', { body: '<main><iframe src="/inner"></iframe></main>', policy });
  await context.clock.install();
  page = await context.newPage();
});

async function open(): Promise<void> {
  await page.goto('/');
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
}

/** A frame of the page in which a field can be typed into. */
async function frameAt(path: string): Promise<Frame> {
  const at = () => page.frames().find((frame) => frame !== page.mainFrame() && frame.url().endsWith(path));
  const frame = await eventually(`the frame ${path}`, at, 15_000);
  await frame.waitForSelector('#inner');
  await frame.waitForFunction(() => document.readyState === 'complete');
  return frame;
}

/** Whether the client has counted what `act` did: the tab tells other tabs of activity at most once a second. */
async function counts(act: () => Promise<unknown>): Promise<boolean> {
  const listener = await context.newPage();
  await listener.goto('/inner');
  await listener.evaluate(() => {
    const watching = window as unknown as Watching;
    watching.messages = [];
    new BroadcastChannel('session-security:undefined:ada-1').onmessage = ({ data }) =>
      watching.messages.push((data as { last: number }).last);
  });
  const aSecondLater = () => context.clock.fastForward(1100);
  await aSecondLater();
  await act();
  // Whatever that was, this is activity, and is told after it.
  await aSecondLater();
  const before = await page.evaluate(() => Date.now() / 1000);
  await page.keyboard.press('Shift');
  const told = await listener.evaluate(
    (from) =>
      new Promise<number>((resolve) => {
        const look = () => {
          const { messages } = window as unknown as Watching;
          if (messages.some((last) => last >= from)) resolve(messages.length);
          else setTimeout(look, 10);
        };
        look();
      }),
    before,
  );
  await listener.close();
  return told > 1;
}

describe('A3 frames of the same origin', () => {
  test('A3 typing in a frame that came with the page is activity', async () => {
    await open();
    const frame = await frameAt('/inner');
    expect(await counts(() => frame.press('#inner', 'a'))).toBe(true);
  });

  test('A3 typing in frames that come later is, however deep, and after they have loaded something else', async () => {
    await open();
    await page.evaluate(() => {
      const frame = document.createElement('iframe');
      frame.src = '/deep';
      document.body.append(frame);
    });
    const outer = await eventually(
      'deep',
      () => page.frames().find((one) => one.url().endsWith('/deep')),
      15_000,
    );
    const inner = await eventually('inner', () => outer.childFrames().at(0), 15_000);
    await inner.waitForSelector('#inner');
    await outer.waitForFunction(() => document.readyState === 'complete');
    expect(await counts(() => inner.press('#inner', 'a'))).toBe(true);
    await outer.goto(`${server.url}/inner?again`);
    expect(await counts(() => outer.press('#inner', 'a'))).toBe(true);
  });

  test('A3 typing in a frame that a script has written is', async () => {
    await open();
    await page.evaluate(() => {
      const frame = document.createElement('iframe');
      frame.id = 'written';
      document.body.append(frame);
      const { contentDocument } = frame;
      contentDocument!.open();
      contentDocument!.write('<input id="inner">');
      contentDocument!.close();
    });
    const field = page.frameLocator('#written').locator('#inner');
    await field.waitFor();
    expect(await counts(() => field.press('a'))).toBe(true);
  });

  test('A4 what a script does in a frame is not activity, and neither is a frame that scrolls itself', async () => {
    await open();
    const frame = await frameAt('/inner');
    expect(await counts(() => frame.evaluate(() => document.querySelector('input')!.click()))).toBe(false);
    await frame.evaluate(() => (document.body.style.height = '5000px'));
    expect(await counts(() => frame.evaluate(() => scrollTo(0, 500)))).toBe(false);
  });

  test('A3 nothing holds frames that were taken out of the page', async () => {
    await open();
    await page.evaluate(async () => {
      const removed: WeakRef<object>[] = [];
      for (let index = 0; index < 20; index++) {
        const frame = document.createElement('iframe');
        frame.srcdoc = '<input>';
        document.body.append(frame);
        await new Promise((resolve) => frame.addEventListener('load', resolve));
        removed.push(new WeakRef(frame.contentDocument!));
        frame.remove();
      }
      (window as unknown as { removed: unknown }).removed = removed;
    });
    const devTools = await context.newCDPSession(page);
    const held = async () => {
      await devTools.send('HeapProfiler.collectGarbage');
      return page.evaluate(
        () =>
          (window as unknown as { removed: WeakRef<object>[] }).removed.filter((one) => one.deref()).length,
      );
    };
    // The browser itself may keep the last one for a while.
    await eventually('the frames gone', async () => (await held()) <= 1 || undefined, 10_000);
  });

  test('T12 destroy leaves no listener in a frame', async () => {
    await open();
    const frame = await frameAt('/inner');
    const devTools = await context.newCDPSession(page);
    let inner: number | undefined;
    const lookAt = async (contextId: number): Promise<void> => {
      const asked = { expression: 'location.pathname', contextId };
      const { result } = await devTools.send('Runtime.evaluate', asked);
      if (result.value === '/inner') inner ??= contextId;
    };
    devTools.on('Runtime.executionContextCreated', ({ context: { id, auxData } }) => {
      if ((auxData as unknown as { isDefault: boolean }).isDefault) void lookAt(id);
    });
    await devTools.send('Runtime.enable');
    await eventually('the context of the frame', () => inner, 15_000);
    const listeners = async () => {
      const { result } = await devTools.send('Runtime.evaluate', { expression: 'window', contextId: inner! });
      const found = await devTools.send('DOMDebugger.getEventListeners', { objectId: result.objectId! });
      return found.listeners.map(({ type }) => type);
    };
    await frame.waitForSelector('#inner');
    expect(await listeners()).toContain('keydown');
    await page.evaluate(() => globalThis.sessionSecurity!.destroy());
    // The tool that runs this test has listeners of its own there.
    const watched = ['keydown', 'pointermove', 'input', 'paste', 'wheel', 'scroll', 'load'];
    expect((await listeners()).filter((type) => watched.includes(type))).toEqual([]);
  });
});

describe('A3 frames of other origins', () => {
  const elsewhere = () => server.url.replace('localhost', '127.0.0.1');

  async function openWithForeignFrame(accepted: string[]): Promise<Frame> {
    server.pages.set('/', { body: `<main><iframe src="${elsewhere()}/inner"></iframe></main>`, policy });
    await open();
    await loadModule(page, 'client/frame.ts', 'frameModule');
    await page.evaluate((origins) => {
      const watching = window as unknown as Watching;
      watching.counted = 0;
      watching.frameModule.acceptActivity({ activity: () => watching.counted++ }, origins);
    }, accepted);
    const frame = await frameAt('/inner');
    return frame;
  }
  const counted = () => page.evaluate(() => (window as unknown as Watching).counted);
  const loadInto = (frame: Frame, pageOrigin: string) =>
    loadModule(frame as unknown as Page, 'client/frame.ts', 'frameModule').then(() =>
      frame.evaluate((origin) => {
        (window as unknown as Watching).frameModule.reportActivity(origin);
      }, pageOrigin),
    );

  test('A3 cannot be watched, do no harm, and tell by themselves, at most once a second', async () => {
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    const frame = await openWithForeignFrame([elsewhere()]);
    await loadInto(frame, server.url);
    const startedAt = Date.now();
    await frame.locator('#inner').pressSequentially('twenty keys in a row');
    await eventually('activity', async () => (await counted()) > 0 || undefined, 15_000);
    expect(await counted()).toBeLessThanOrEqual(1 + (Date.now() - startedAt) / 1000);
    expect(problems).toEqual([]);
  });

  test('A3 are not believed when the page does not name their origin', async () => {
    const frame = await openWithForeignFrame(['https://images.example']);
    await loadInto(frame, server.url);
    const heard = page.evaluate(
      () => new Promise((resolve) => addEventListener('message', resolve, { once: true })),
    );
    await frame.press('#inner', 'a');
    await heard;
    expect(await counted()).toBe(0);
  });

  test('A3 tell nobody but the page they name', async () => {
    const frame = await openWithForeignFrame([elsewhere()]);
    await loadInto(frame, 'https://clinic.example');
    await frame.press('#inner', 'a');
    // A message of the frame's own comes after whatever it has told before.
    await frame.evaluate((origin) => parent.postMessage('after', origin), server.url);
    const heard = page.evaluate(
      () => new Promise((resolve) => addEventListener('message', resolve, { once: true })),
    );
    await frame.evaluate((origin) => parent.postMessage('after', origin), server.url);
    await heard;
    expect(await counted()).toBe(0);
  });

  test.each(['session-security:other', { activity: true }, null, 7])(
    'A3 another message of a believed origin (%j) is nothing',
    async (message) => {
      const frame = await openWithForeignFrame([elsewhere()]);
      const heard = page.evaluate(() =>
        new Promise((resolve) => addEventListener('message', resolve, { once: true })).then(() => true),
      );
      await frame.evaluate(
        ([data, origin]) => parent.postMessage(data, origin as string),
        [message, server.url],
      );
      await heard;
      expect(await counted()).toBe(0);
    },
  );

  test.each(['*', 'clinic.example', 'https://clinic.example/', 'https://clinic.example/path'])(
    'A3 %s is no origin',
    async (origin) => {
      await open();
      await loadModule(page, 'client/frame.ts', 'frameModule');
      const tried = (name: 'accept' | 'report') =>
        page.evaluate(
          ([kind, given]) => {
            const { acceptActivity, reportActivity } = (window as unknown as Watching).frameModule;
            if (kind === 'accept') acceptActivity({ activity: () => {} }, [given!]);
            else reportActivity(given!);
          },
          [name, origin],
        );
      await expect(tried('accept')).rejects.toThrow(/TypeError/);
      await expect(tried('report')).rejects.toThrow(/TypeError/);
    },
  );
});
