import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type Browser, WatchedApp } from '../support/watched-app.js';
import { COMBINATIONS, sessionOptions } from '../support/stores/combinations.js';
import { StoreYard, type TestStore } from '../support/stores/kinds.js';
import { Doors, SlowDesk } from '../support/slow-desk.js';

const E = 10;
const yard = new StoreYard();
afterAll(() => yard.close());

describe.each(COMBINATIONS)(
  'C1 last activity only grows ($kind, resave $resave, rolling $rolling)',
  (combination) => {
    let desk: WatchedApp;
    let stored: TestStore;
    const open = async (): Promise<void> => {
      stored = await yard.create(combination.kind);
      desk = await WatchedApp.start({
        store: stored.store,
        session: sessionOptions(combination),
        security: { flushInterval: 1 },
        controllers: [SlowDesk],
        providers: [Doors],
      });
    };
    afterEach(async () => {
      desk.app.get(Doors).openAll();
      await desk.close();
      await yard.clear();
    });

    /** The stamps of all records, as they are stored. */
    const stamps = async (): Promise<number[]> =>
      Object.values(await stored.records()).map(({ sessionSecurity }) => sessionSecurity.lastActivityAt);

    /** Pings for three times E, and looks at the stored stamp on the way. */
    const stayActive = async (browser: Browser): Promise<number> => {
      let newest = 0;
      for (let time = 0; time < 3 * E; time += 3) {
        await desk.clock.advance(3);
        await browser.ping({ idleFor: 0.5 }).expect(200);
        newest = desk.clock.now() - 500;
        const [stamp] = await stamps();
        expect(stamp).toBeGreaterThanOrEqual(newest - 3_000);
        expect(stamp).toBeLessThanOrEqual(newest);
      }
      return newest;
    };

    it.each([
      ['handler', 'read', (browser: Browser) => browser.get('/slow/read')],
      ['handler that writes the session', 'write', (browser: Browser) => browser.post('/slow/write')],
      ['handler that stamps the session', 'stamp', (browser: Browser) => browser.get('/slow/stamp')],
      ['stream of events', 'news', (browser: Browser) => browser.get('/slow/news')],
      ['download', 'download', (browser: Browser) => browser.get('/slow/download')],
      ['long poll', 'poll', (browser: Browser) => browser.get('/slow/poll')],
    ] as const)('C1 a %s of 3 x E leaves the newest stamp in place', async (_, door, send) => {
      await open();
      const browser = await desk.signedIn();
      const slow = send(browser).then(({ status }) => status);
      await desk.app.get(Doors).reached(door);
      const newest = await stayActive(browser);
      await desk.clock.advance(2);
      desk.app.get(Doors).open(door);
      expect(await slow).toBeLessThan(300);
      expect((await browser.state()).idleFor).toBe(2.5);
      await desk.clock.advance(1);
      expect(await stamps()).toEqual([newest]);
      expect(await browser.user()).toBe('anna');
    });

    it('C1 an upload of 3 x E leaves the newest stamp in place', async () => {
      await open();
      const browser = await desk.signedIn();
      const upload = browser.upload('/slow/upload');
      upload.write('half');
      await desk.app.get(Doors).reached('upload');
      const newest = await stayActive(browser);
      await desk.clock.advance(2);
      upload.end('rest');
      expect(await upload.answer).toEqual({ bytes: 8 });
      expect((await browser.state()).idleFor).toBe(2.5);
      await desk.clock.advance(1);
      expect(await stamps()).toEqual([newest]);
    });
  },
);
