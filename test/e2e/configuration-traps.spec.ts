import { afterEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { SessionSecurityModule, type SessionSecurityOptionsInput } from '../../lib/index.js';
import { WatchedApp } from '../support/watched-app.js';

interface DeskRequest {
  session?: { user?: { id: string } };
}

/** Mistakes that compile, and must neither sign out who is there nor let in who is not. */
describe('configuration traps', () => {
  let desk: WatchedApp | undefined;
  const open = async (security: SessionSecurityOptionsInput): Promise<WatchedApp> =>
    (desk = await WatchedApp.start({ security: { flushInterval: 2, ...security } }));
  afterEach(() => desk?.close());

  it('an identify function that answers a number keeps its user signed in', async () => {
    const app = await open({ identify: () => 7 as unknown as string });
    const browser = await app.signedIn();
    for (let second = 0; second < 20; second += 4) {
      await app.clock.advance(4);
      expect(await browser.user()).toBe('anna');
    }
    expect(app.log.of('start').map(({ userId }) => userId)).toEqual(['7']);
  });

  it('an isAuthenticated function that answers the user instead of true is understood', async () => {
    const isAuthenticated = (request: DeskRequest): unknown => request.session?.user;
    const app = await open({ isAuthenticated } as unknown as SessionSecurityOptionsInput);
    const browser = await app.signedIn();
    await app.clock.advance(11);
    expect(await browser.user()).toBeNull();
  });

  it('an isAuthenticated function that fails when a ping asks again ends nobody, and is no error of the server', async () => {
    let calls = -Infinity;
    const app = await open({
      isAuthenticated: (request) => {
        if (++calls > 1) throw new Error('the user database is away');
        return (request as DeskRequest).session?.user !== undefined;
      },
    });
    const browser = await app.signedIn();
    calls = 0;
    const { status } = await browser.ping({ idleFor: 0 });
    calls = -Infinity;
    expect(status).toBeLessThan(500);
    expect(await browser.user()).toBe('anna');
    expect(app.log.of('end')).toEqual([]);
  });

  it('the module imported twice is refused at boot', async () => {
    @Module({ imports: [SessionSecurityModule.forRoot({ warnAfter: 5, expireAfter: 10 })] })
    class FeatureModule {}

    @Module({ imports: [FeatureModule, SessionSecurityModule.forRoot({ warnAfter: 50, expireAfter: 100 })] })
    class RootModule {}

    const testing = await Test.createTestingModule({ imports: [RootModule] }).compile();
    const app = testing.createNestApplication({ logger: false });
    await expect(app.init()).rejects.toThrow(
      /imported more than once: call forRoot\(\) in the root module alone/,
    );
    await app.close();
  });
});
