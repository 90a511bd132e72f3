import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import { promisify } from 'node:util';
import { ADAPTER } from '../support/adapters.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

interface Call {
  session: Record<string, unknown> & {
    regenerate(callback: (error: unknown) => void): void;
    save(callback: (error: unknown) => void): void;
  };
}

/** Requests that wait for one another. */
const arrived: (() => void)[] = [];

@Controller('id')
class IdController {
  /** Gives the id up, and everybody with it. */
  @Post('drop')
  async drop(@Req() request: Call): Promise<void> {
    await promisify<void>((done) => request.session.regenerate(done))();
  }

  /** Once three have come, each gives the id up for another, and saves the session there. */
  @Post('rotate-together')
  async rotateTogether(@Req() request: Call): Promise<void> {
    await new Promise<void>((resolve) => {
      arrived.push(resolve);
      if (arrived.length === 3) for (const goOn of arrived) goOn();
    });
    const { user, sessionSecurity } = request.session;
    await promisify<void>((done) => request.session.regenerate(done))();
    Object.assign(request.session, { user, sessionSecurity });
    await promisify<void>((done) => request.session.save(done))();
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

  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [null, 3],
  ])(
    'C6 three rotations at once leave no more sessions than maxSessionsPerUser: %j',
    async (maxSessionsPerUser, left) => {
      arrived.length = 0;
      await open({ security: { maxSessionsPerUser, onTooManySessions: 'refuse' } });
      const browser = await desk.signedIn();
      const tabs = [browser.copy(), browser.copy(), browser.copy()];
      const answers = await Promise.all(tabs.map((tab) => tab.post('/id/rotate-together')));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      // Who was given no cookie goes on with that of another tab, as they share them.
      const moved = tabs.filter((tab) => tab.sessionId !== browser.sessionId);
      expect(moved).toHaveLength(left);
      expect(await Promise.all(moved.map((tab) => tab.user()))).toEqual(moved.map(() => 'anna'));
      expect(await desk.security.list('anna')).toHaveLength(left);
      expect(await browser.user()).toBeNull();
      expect(Object.keys(await stored.signedIn())).toHaveLength(left);
      await moved[0]!.post('/logout');
      expect(await Promise.all(tabs.map((tab) => tab.user()))).toEqual([null, null, null]);
      expect(desk.log.of('end')).toHaveLength(left);
      expect(desk.log.of('start')).toHaveLength(left);
      expect([await stored.signedIn(), await stored.records()]).toEqual([{}, {}]);
    },
  );

  if (ADAPTER === 'express')
    it('C6 the record is carried too where middleware rotates the id before anybody has looked at the session', async () => {
      const rotate = async (request: Call): Promise<void> => {
        const { user, sessionSecurity } = request.session;
        if (!user) return;
        await promisify<void>((done) => request.session.regenerate(done))();
        Object.assign(request.session, { user, sessionSecurity });
      };
      await open({
        configure: (app, useSession) => {
          useSession();
          app.use((request: Call, _: unknown, next: (error?: unknown) => void) => {
            void rotate(request).then(() => next(), next);
          });
        },
      });
      const browser = await desk.signedIn();
      const late = browser.copy();
      for (const passed of [4, 4, 4]) {
        await desk.clock.advance(passed);
        expect(await browser.user()).toBe('anna');
      }
      expect(await late.user()).toBeNull();
      expect([desk.log.of('start').length, desk.log.of('end')]).toEqual([1, []]);
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
