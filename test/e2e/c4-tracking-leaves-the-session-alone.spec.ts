import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req } from '@nestjs/common';
import { ADAPTER } from '../support/adapters.js';
import { Faults } from '../support/stores/faults.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

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

const yard = new StoreYard();
afterAll(() => yard.close());

describe.each(STORE_KINDS)('C4 tracking leaves the session alone ($kind)', ({ kind }) => {
  let desk: WatchedApp;
  let stored: TestStore;
  let faults: Faults;
  const open = async (options: WatchedAppOptions = {}): Promise<void> => {
    stored = await yard.create(kind);
    faults = new Faults(stored.store);
    desk = await WatchedApp.start({ store: stored.store, ...options });
  };
  afterEach(async () => {
    await desk.close();
    await yard.clear();
  });

  /** What the session library asks of the store by itself, but for the touches that say nothing new. */
  const touches = kind === 'sql' ? 3 : 1;
  const asked = {
    express: [
      { resave: false, rolling: false, expected: [['touch', touches]] },
      { resave: true, rolling: false, expected: [['set', 3]] },
      { resave: false, rolling: true, expected: [['touch', touches]] },
    ],
    fastify: [
      { resave: false, rolling: false, expected: [] },
      { resave: false, rolling: true, expected: [['set', 3]] },
    ],
  };

  it.each(asked[ADAPTER])(
    'C4 a request that counts asks the store for no more than the session library does by itself: %j',
    async ({ expected, ...options }) => {
      await open({ session: options });
      const browser = await desk.signedIn();
      faults.calls.length = 0;
      for (let request = 0; request < 3; request++) {
        desk.clock.jump(1);
        const answer = await browser.get('/whoami').expect(200);
        expect(answer.headers['set-cookie'] !== undefined).toBe(options.rolling);
      }
      await desk.clock.advance(2);
      const writes = (['set', 'touch', 'destroy'] as const).map((method) => [method, faults.count(method)]);
      expect(writes.filter(([, count]) => count !== 0)).toEqual(expected);
    },
  );

  if (ADAPTER === 'express')
    it('C4 a touch that has failed is handed on again with the next request', async () => {
      await open();
      const browser = await desk.signedIn();
      faults.calls.length = 0;
      faults.affects = (_, method) => method === 'touch';
      faults.behaviour = 'fails';
      await browser.get('/whoami');
      faults.behaviour = 'sound';
      await browser.get('/whoami').expect(200);
      expect(faults.count('touch')).toBe(2);
    });

  it('C4 the marker is written once, with the sign-in', async () => {
    await open();
    const browser = await desk.signedIn();
    /** Without what express-session and stores themselves note at each touch. */
    const blobs = async () =>
      Object.values(await stored.blobs()).map((data) =>
        Object.fromEntries(
          Object.entries(data).filter(([name]) => !['cookie', '__lastAccess'].includes(name)),
        ),
      );
    const before = await blobs();
    expect(before.map((data) => Object.keys(data).sort())).toEqual([['sessionSecurity', 'user']]);
    for (const passed of [3, 3, 3]) {
      await desk.clock.advance(passed);
      await browser.user();
      await browser.ping({ idleFor: 0 });
    }
    expect(await blobs()).toEqual(before);
  });

  it('C4 no parallel write of the application is lost', async () => {
    await open({ controllers: [BasketController] });
    const browser = await desk.signedIn();
    const arrived = new Promise<void>((resolve) => (BasketController.arrived = resolve));
    const slow = browser.get('/basket/slow').then(({ status }) => status);
    await arrived;
    await browser.post('/basket/apple').expect(201);
    await browser.ping({ idleFor: 0 }).expect(200);
    BasketController.release();
    expect(await slow).toBe(200);
    expect(Object.values(await stored.blobs())).toEqual([expect.objectContaining({ apple: true })]);
  });

  it('C4 an anonymous session gets neither marker nor record', async () => {
    await open({ session: { saveUninitialized: true } });
    await desk.browser().get('/whoami').expect(200);
    const [blob, ...more] = Object.values(await stored.blobs());
    expect([blob?.['sessionSecurity'], more, await stored.records()]).toEqual([undefined, [], {}]);
  });
});
