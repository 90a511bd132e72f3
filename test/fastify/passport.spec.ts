import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccountController, Accounts, usePassport } from '../../sample/recipes/passport-on-fastify.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

/** Everybody's password is their name. */
class KnownAccounts extends Accounts {
  readonly gone = new Set<string>();

  verify(name: string, password: string) {
    return Promise.resolve(name === password ? { id: name } : undefined);
  }

  find(id: string) {
    return Promise.resolve(this.gone.has(id) ? undefined : { id });
  }
}

let desk: WatchedApp;
let accounts: KnownAccounts;
beforeEach(async () => {
  accounts = new KnownAccounts();
  desk = await WatchedApp.start({
    security: { maxLifetime: 20 },
    controllers: [AccountController],
    providers: [{ provide: Accounts, useValue: accounts }],
    configure: (app, useSession) => {
      useSession();
      void usePassport(app as NestFastifyApplication);
    },
  });
});
afterEach(() => desk.close());

async function signIn(name: string, browser = desk.browser()): Promise<Browser> {
  await browser.post('/account/sign-in', { username: name, password: name }).expect(201, { id: name });
  return browser;
}

/** What Passport says; it counts as activity. */
const shown = async (browser: Browser): Promise<unknown> => (await browser.get('/account').expect(200)).body;
const nobody = { signedIn: false, user: null };

describe('Passport with a session, on Fastify', () => {
  it('is recognised from the sign-in on, and who has expired is nobody to Passport too', async () => {
    const browser = await signIn('anna');
    expect(desk.log.of('start')).toEqual([expect.objectContaining({ userId: 'anna' })]);
    await desk.clock.advance(9);
    expect(await shown(browser)).toEqual({ signedIn: true, user: { id: 'anna' } });
    await desk.clock.advance(10);
    expect(await shown(browser)).toEqual(nobody);
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'idle' })]);
  });

  it('logOut ends the session for good', async () => {
    const browser = await signIn('anna');
    const stolen = browser.copy();
    await browser.post('/account/sign-out').expect(201);
    expect([await shown(browser), await shown(stolen)]).toEqual([nobody, nobody]);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout', userId: 'anna' })]);
  });

  it.each(['anna', 'ben'])('logIn as %s ends the session before, and starts both clocks', async (name) => {
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

  it('S17 whose account is gone is signed out by Passport, and the next ping says so', async () => {
    const browser = await signIn('anna');
    accounts.gone.add('anna');
    expect((await browser.state()).state).toBe('expired');
    expect(await shown(browser)).toEqual(nobody);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'logout' })]);
  });
});
