import { afterEach, describe, expect, it } from '@jest/globals';
import { CountingStore } from '../support/counting-store.js';
import { WatchedApp } from '../support/watched-app.js';

describe('C8 many requests find one end', () => {
  let desk: WatchedApp;
  afterEach(() => desk.close());

  it.each([2, 20])(
    'C8 %i requests at once that find the session expired: one event, one destroy, all nobody',
    async (count) => {
      const store = new CountingStore();
      desk = await WatchedApp.start({ store });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      store.calls.length = 0;
      const users = await Promise.all(Array.from({ length: count }, () => browser.user()));
      expect(users).toEqual(Array(count).fill(null));
      expect(desk.log.of('expire')).toHaveLength(1);
      expect(desk.log.of('end')).toHaveLength(1);
      expect(store.calls).toEqual(['destroy']);
      expect(desk.stored()).toEqual({});
    },
  );

  it('C8 requests and the deadline together end it once', async () => {
    desk = await WatchedApp.start();
    const browser = await desk.signedIn();
    desk.clock.jump(10);
    const [users] = await Promise.all([Promise.all([browser.user(), browser.user()]), desk.clock.advance(3)]);
    expect(users).toEqual([null, null]);
    expect(desk.log.of('expire')).toHaveLength(1);
  });
});
