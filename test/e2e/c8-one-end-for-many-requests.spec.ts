import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Faults } from '../support/stores/faults.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { WatchedApp } from '../support/watched-app.js';

const yard = new StoreYard();
afterAll(() => yard.close());

describe.each(STORE_KINDS)('C8 many requests find one end ($kind)', ({ kind }) => {
  let desk: WatchedApp;
  let stored: TestStore;
  let faults: Faults;
  const open = async (): Promise<void> => {
    stored = await yard.create(kind);
    faults = new Faults(stored.store);
    desk = await WatchedApp.start({ store: stored.store });
  };
  afterEach(async () => {
    await desk.close();
    await yard.clear();
  });

  it.each([2, 20])(
    'C8 %i requests at once that find the session expired: one event, one destroy, all nobody',
    async (count) => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      faults.calls.length = 0;
      const users = await Promise.all(Array.from({ length: count }, () => browser.user()));
      expect(users).toEqual(Array(count).fill(null));
      expect(desk.log.of('expire')).toHaveLength(1);
      expect(desk.log.of('end')).toHaveLength(1);
      expect([faults.count('set'), faults.count('touch'), faults.count('destroy')]).toEqual([0, 0, 1]);
      expect([await stored.blobs(), await stored.records()]).toEqual([{}, {}]);
    },
  );

  it('C8 requests and the deadline together end it once', async () => {
    await open();
    const browser = await desk.signedIn();
    desk.clock.jump(10);
    const [users] = await Promise.all([Promise.all([browser.user(), browser.user()]), desk.clock.advance(3)]);
    expect(users).toEqual([null, null]);
    expect(desk.log.of('expire')).toHaveLength(1);
  });
});
