import { afterEach, describe, expect, it } from '@jest/globals';
import { WatchedApp } from '../support/watched-app.js';

describe('S the server decides', () => {
  let desk: WatchedApp;
  afterEach(() => desk.close());

  it('S2 the boundary is inclusive: at E - 0.1 alive, at E expired', async () => {
    desk = await WatchedApp.start();
    const browser = await desk.signedIn();
    desk.clock.jump(9.9);
    expect(await browser.user()).toBe('anna');
    desk.clock.jump(10);
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('expire')).toHaveLength(1);
  });
});
