import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req } from '@nestjs/common';
import { CountingStore } from '../support/counting-store.js';
import { WatchedApp } from '../support/watched-app.js';

type Basket = { session: Record<string, unknown> };

/** Two handlers of one session that overlap: the first waits for the second. */
@Controller('basket')
class BasketController {
  static arrived: () => void;
  static release: () => void;

  @Get('slow')
  async slow(): Promise<string> {
    const released = new Promise<void>((resolve) => (BasketController.release = resolve));
    BasketController.arrived();
    await released;
    return 'read';
  }

  @Post('apple')
  apple(@Req() request: Basket): string {
    request.session['apple'] = true;
    return 'written';
  }
}

describe('C4 tracking leaves the session alone', () => {
  let desk: WatchedApp;
  afterEach(() => desk.close());

  it.each([
    { resave: false, rolling: false, expected: 'touch' },
    { resave: true, rolling: false, expected: 'set' },
    { resave: false, rolling: true, expected: 'touch' },
  ])(
    'C4 a request that counts asks the store for what express-session asks by itself: %j',
    async ({ expected, ...options }) => {
      const store = new CountingStore();
      desk = await WatchedApp.start({ store, session: options });
      const browser = await desk.signedIn();
      store.calls.length = 0;
      for (let request = 0; request < 3; request++) {
        desk.clock.jump(1);
        const answer = await browser.get('/whoami').expect(200);
        expect(answer.headers['set-cookie'] !== undefined).toBe(options.rolling);
      }
      await desk.clock.advance(2);
      expect(store.calls).toEqual([expected, expected, expected]);
    },
  );

  it('C4 the marker is written once, with the sign-in', async () => {
    desk = await WatchedApp.start();
    const browser = await desk.signedIn();
    const blobs = () => Object.entries(desk.stored()).filter(([key]) => !key.startsWith('session-security-'));
    const before = blobs();
    expect(before.map(([, data]) => Object.keys(data).sort())).toEqual([
      ['cookie', 'sessionSecurity', 'user'],
    ]);
    for (const passed of [3, 3, 3]) {
      await desk.clock.advance(passed);
      await browser.user();
      await browser.ping({ idleFor: 0 });
    }
    expect(blobs()).toEqual(before);
  });

  it('C4 no parallel write of the application is lost', async () => {
    desk = await WatchedApp.start({ controllers: [BasketController] });
    const browser = await desk.signedIn();
    const arrived = new Promise<void>((resolve) => (BasketController.arrived = resolve));
    const slow = browser.get('/basket/slow').then(({ status }) => status);
    await arrived;
    await browser.post('/basket/apple').expect(201);
    await browser.ping({ idleFor: 0 }).expect(200);
    BasketController.release();
    expect(await slow).toBe(200);
    const blobs = Object.entries(desk.stored()).filter(([key]) => !key.startsWith('session-security-'));
    expect(blobs).toEqual([[expect.any(String), expect.objectContaining({ apple: true })]]);
  });

  it('C4 an anonymous session gets neither marker nor record', async () => {
    desk = await WatchedApp.start({ session: { saveUninitialized: true } });
    await desk.browser().get('/whoami').expect(200);
    expect(Object.values(desk.stored()).map((data) => Object.keys(data))).toEqual([['cookie']]);
  });
});
