import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import { promisify } from 'node:util';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

interface Call {
  session: Record<string, unknown> & { regenerate(callback: (error: unknown) => void): void };
}

@Controller('id')
class IdController {
  /** Gives the id up, and everybody with it. */
  @Post('drop')
  async drop(@Req() request: Call): Promise<void> {
    await promisify<void>((done) => request.session.regenerate(done))();
  }

  @Post('rotate-and-fail')
  async rotateAndFail(@Req() request: Call): Promise<void> {
    const { user, sessionSecurity } = request.session;
    await promisify<void>((done) => request.session.regenerate(done))();
    Object.assign(request.session, { user, sessionSecurity });
    throw new Error('after the rotation');
  }
}

const yard = new StoreYard();
afterAll(() => yard.close());

describe.each(STORE_KINDS)('C6 a session gets another id ($kind)', ({ kind }) => {
  let desk: WatchedApp;
  let stored: TestStore;
  const open = async (options: WatchedAppOptions = {}): Promise<void> => {
    stored = await yard.create(kind);
    desk = await WatchedApp.start({ store: stored.store, controllers: [IdController], ...options });
  };
  afterEach(async () => {
    await desk.close();
    await yard.clear();
  });

  it.each(['/rotate', '/id/rotate-and-fail'])(
    'C6 %s carries the record: the lifetime goes on, the old id is dead',
    async (path) => {
      await open({ security: { maxLifetime: 20 } });
      const browser = await desk.signedIn();
      desk.clock.jump(8);
      const old = browser.copy();
      await browser.post(path);
      expect(browser.cookies.get('connect.sid')).not.toBe(old.cookies.get('connect.sid'));
      expect(await browser.state()).toMatchObject({ state: 'active', lifetimeIn: 12, idleFor: 0 });
      expect([await browser.user(), await old.user()]).toEqual(['anna', null]);
      expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start']);
      await desk.clock.advance(9);
      await browser.user();
      await desk.clock.advance(4);
      expect(desk.log.of('expire')).toEqual([expect.objectContaining({ reason: 'lifetime' })]);
    },
  );

  it('C6 a sign-in under a new id restarts both clocks, and the session before it ends as replaced', async () => {
    await open({ security: { maxLifetime: 20 } });
    const browser = await desk.signedIn();
    desk.clock.jump(8);
    const old = browser.copy();
    await browser.post('/login', { user: 'anna' });
    expect(await browser.state()).toMatchObject({ state: 'active', lifetimeIn: 20 });
    expect(await old.user()).toBeNull();
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'end', 'start']);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'replaced' })]);
  });

  it('C6 a sign-out that gives the id up ends the session as a logout', async () => {
    await open();
    const browser = await desk.signedIn();
    const old = browser.copy();
    await browser.post('/id/drop').expect(201);
    expect([await browser.user(), await old.user()]).toEqual([null, null]);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
  });

  it('C6 two rotations at once leave no id alive that nobody watches', async () => {
    await open();
    const browser = await desk.signedIn();
    const [one, other] = [browser.copy(), browser.copy()];
    await Promise.all([one.post('/rotate'), other.post('/rotate')]);
    // Whether they were quite at once or one after the other, nobody is signed out early by them.
    expect([await one.user(), await other.user()]).toContain('anna');
    expect(await browser.user()).toBeNull();
    await desk.clock.advance(12);
    expect([await one.user(), await other.user()]).toEqual([null, null]);
    expect([await stored.signedIn(), await stored.records()]).toEqual([{}, {}]);
  });
});
