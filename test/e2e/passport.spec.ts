import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import type { Request } from 'express';
import { MemoryStore } from 'express-session';
import passport from 'passport';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import {
  AccountController,
  Accounts,
  AccountSerializer,
  LocalStrategy,
  SignInGuard,
} from '../../sample/recipes/passport.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

/** Everybody's password is their name. */
class KnownAccounts extends Accounts {
  readonly gone = new Set<string>();

  verify(name: string, password: string) {
    return Promise.resolve(name === password ? { id: name } : (false as const));
  }

  find(id: string) {
    return Promise.resolve(this.gone.has(id) ? (false as const) : { id });
  }
}

/** What applications do with Passport beside the recipe. */
@Controller('account')
class MoreOfPassportController {
  @Post('confirm')
  confirm(@Req() request: Request): Promise<void> {
    return new Promise((resolve, reject) =>
      request.logIn(request.user!, { session: true, keepSessionInfo: true }, (error: unknown) =>
        error instanceof Error ? reject(error) : resolve(),
      ),
    );
  }

  @Post('leave-with-everything')
  leave(@Req() request: Request): Promise<void> {
    return new Promise((resolve, reject) =>
      request.logOut({ keepSessionInfo: true }, (error: unknown) =>
        error instanceof Error ? reject(error) : resolve(),
      ),
    );
  }
}

let desk: WatchedApp;
let store: MemoryStore;
let accounts: KnownAccounts;

async function start(security: SessionSecurityOptionsInput = {}): Promise<void> {
  desk = await WatchedApp.start({
    security,
    store,
    imports: [PassportModule],
    controllers: [AccountController, MoreOfPassportController],
    providers: [{ provide: Accounts, useValue: accounts }, LocalStrategy, AccountSerializer, SignInGuard],
    configure: (app, useSession) => {
      useSession();
      app.use(passport.session());
    },
  });
}

async function signIn(name: string, browser = desk.browser()): Promise<Browser> {
  await browser.post('/account/sign-in', { username: name, password: name }).expect(201, { id: name });
  return browser;
}

/** What Passport says; it counts as activity. */
const shown = async (browser: Browser): Promise<unknown> => (await browser.get('/account').expect(200)).body;
const nobody = { signedIn: false };

beforeEach(() => {
  store = new MemoryStore();
  accounts = new KnownAccounts();
  // Serializers stay with Passport, which is one for all applications of a process.
  Object.assign(passport, { _serializers: [], _deserializers: [] });
});
afterEach(() => desk.close());

describe('Passport with a session', () => {
  it('is recognised from the sign-in on, and who has expired is nobody to Passport too', async () => {
    await start();
    const browser = await signIn('anna');
    expect(desk.log.of('start')).toEqual([expect.objectContaining({ userId: 'anna' })]);
    await desk.clock.advance(9);
    expect(await shown(browser)).toEqual({ signedIn: true, user: { id: 'anna' } });
    await desk.clock.advance(9);
    expect((await browser.state()).state).toBe('warning');
    await desk.clock.advance(1);
    expect(await shown(browser)).toEqual(nobody);
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'idle' })]);
  });

  it('is not believed by the first request of a process, which Passport reads before anybody guards the store', async () => {
    await start();
    const browser = await signIn('anna');
    const { clock } = desk;
    await desk.close();
    desk = await WatchedApp.start({
      clock,
      store,
      imports: [PassportModule],
      controllers: [AccountController],
      providers: [{ provide: Accounts, useValue: accounts }, LocalStrategy, AccountSerializer, SignInGuard],
      configure: (app, useSession) => {
        useSession();
        app.use(passport.session());
      },
    });
    clock.jump(30);
    expect(await shown(browser.moveTo(desk))).toEqual(nobody);
  });

  it('a sign-in that is refused starts nothing', async () => {
    await start();
    const browser = desk.browser();
    await browser.post('/account/sign-in', { username: 'anna', password: 'wrong' }).expect(401);
    expect(await shown(browser)).toEqual(nobody);
    expect(desk.log.events).toEqual([]);
  });

  it('logOut ends the session for good', async () => {
    await start();
    const browser = await signIn('anna');
    const stolen = browser.copy();
    await browser.post('/account/sign-out').expect(201);
    expect([await shown(browser), await shown(stolen)]).toEqual([nobody, nobody]);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'end']);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout', userId: 'anna' })]);
  });

  it('logOut that keeps what is in the session ends it all the same', async () => {
    await start();
    const browser = await signIn('anna');
    const stolen = browser.copy();
    await browser.post('/account/leave-with-everything').expect(201);
    expect([await shown(browser), await shown(stolen)]).toEqual([nobody, nobody]);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    await signIn('anna', browser);
    expect((await browser.state()).state).toBe('active');
  });

  it.each(['anna', 'ben'])('logIn as %s ends the session before, and starts both clocks', async (name) => {
    await start({ maxLifetime: 20 });
    const browser = await signIn('anna');
    const old = browser.copy();
    desk.clock.jump(8);
    await signIn(name, browser);
    expect(await browser.state()).toMatchObject({ state: 'active', idleFor: 0, lifetimeIn: 20 });
    expect([await shown(browser), await shown(old)]).toEqual([
      { signedIn: true, user: { id: name } },
      nobody,
    ]);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'replaced', userId: 'anna' })]);
  });

  it('logIn that keeps what is in the session gives it another id, and the same user their clocks', async () => {
    await start({ maxLifetime: 20 });
    const browser = await signIn('anna');
    const old = browser.copy();
    desk.clock.jump(8);
    await browser.post('/account/confirm').expect(201);
    expect(await browser.state()).toMatchObject({ state: 'active', idleFor: 0, lifetimeIn: 12 });
    expect(await shown(old)).toEqual(nobody);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start']);
  });

  it('signing in works at the first try over a session that has expired, where requests of such are refused', async () => {
    await start({ onExpired: 'reject' });
    const browser = await signIn('anna');
    await desk.clock.advance(10);
    await browser.copy().get('/account').expect(401);
    await signIn('ben', browser);
    expect(await shown(browser)).toEqual({ signedIn: true, user: { id: 'ben' } });
  });

  it('S17 whose account is gone is nobody, and the next ping says so', async () => {
    await start();
    const browser = await signIn('anna');
    accounts.gone.add('anna');
    expect((await browser.state()).state).toBe('expired');
    expect(await shown(browser)).toEqual(nobody);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'revoked' })]);
  });
});
