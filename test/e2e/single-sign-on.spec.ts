import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as oidc from 'openid-client';
import {
  IdentityProvider,
  RefreshTokens,
  SingleSignOnController,
  singleSignOnRoutes,
  SingleSignOnSettings,
} from '../../sample/recipes/single-sign-on.js';
import { eventually } from '../support/real-time.js';
import { Visitor, type VisitedPage } from '../support/single-sign-on/visitor.js';
import { WatchedApp } from '../support/watched-app.js';

const PROVIDER = fileURLToPath(new URL('../support/single-sign-on/provider.mjs', import.meta.url));

/** A limit for what takes a moment, on whichever machine. */
const A_WHILE = 20_000;

class Settings extends SingleSignOnSettings {
  address = '';
  issuer = '';
  readonly clientId = 'front-desk';
  readonly clientSecret = 'known to both sides';
  readonly discovery = { execute: [oidc.allowInsecureRequests] };
}

/** Remembers what it was given, also when that has been given back. */
class KnownTokens extends RefreshTokens {
  latest = '';

  override keep(session: string, token: string): void {
    this.latest = token;
    super.keep(session, token);
  }
}

let desk: WatchedApp;
let provider: ChildProcess;
const settings = new Settings();
const tokens = new KnownTokens();

beforeAll(async () => {
  desk = await WatchedApp.start({
    security: singleSignOnRoutes,
    controllers: [SingleSignOnController],
    providers: [
      { provide: SingleSignOnSettings, useValue: settings },
      { provide: RefreshTokens, useValue: tokens },
      IdentityProvider,
    ],
  });
  settings.address = await desk.app.getUrl();
  provider = fork(PROVIDER, [settings.address], { execArgv: [], silent: true });
  const [{ issuer }] = (await once(provider, 'message')) as [{ issuer: string }];
  settings.issuer = issuer;
});
afterAll(async () => {
  await desk.close();
  const exited = once(provider, 'exit');
  provider.disconnect();
  await exited;
});

const at = (path: string): string => new URL(path, settings.address).href;
const isAskedForName = ({ address, text }: VisitedPage): boolean =>
  address.origin === settings.issuer && text.includes('name="login"');
const user = async (person: Visitor): Promise<unknown> =>
  JSON.parse((await person.visit(at('/whoami'))).text) as unknown;

async function signedIn(person = new Visitor()): Promise<Visitor> {
  const form = await person.visit(at('/sign-in?returnTo=/whoami'));
  expect(isAskedForName(form)).toBe(true);
  const { address, text } = await person.submit(form, { login: 'anna', password: 'any' });
  expect([address.href, JSON.parse(text)]).toEqual([at('/whoami'), { user: 'anna' }]);
  return person;
}

async function isUsable(token: string): Promise<boolean> {
  const configuration = await desk.app.get(IdentityProvider).configuration();
  return (await oidc.tokenIntrospection(configuration, token)).active;
}

describe('single sign-on', () => {
  it('S22 gives the tokens back when the session expires, with no page open', async () => {
    await signedIn();
    const token = tokens.latest;
    await desk.clock.advance(9);
    expect(await isUsable(token)).toBe(true);
    await desk.clock.advance(1);
    await eventually('the token was revoked', async () => !(await isUsable(token)), A_WHILE);
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'idle' })]);
  });

  it.each(['yes', 'no'])(
    'leads to the sign-out of the provider after an expiry, and asks again who is there (%s)',
    async (answer) => {
      const person = await signedIn();
      await desk.clock.advance(10);
      const question = await person.visit(at('/sign-in?returnTo=/whoami'));
      expect(question.address.href).toMatch(`${settings.issuer}/session/end?`);
      expect(question.address.searchParams.get('id_token_hint')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      const next = await person.submit(question, answer === 'yes' ? { logout: 'yes' } : {});
      expect(isAskedForName(next)).toBe(true);
      expect(await user(person)).toEqual({ user: null });
      const { text } = await person.submit(next, { login: 'anna', password: 'any' });
      expect(JSON.parse(text)).toEqual({ user: 'anna' });
    },
  );

  it('would be let in again without a question, were it not for that', async () => {
    const person = await signedIn();
    person.forget(settings.address);
    expect((await person.visit(at('/sign-in?returnTo=/whoami'))).text).toBe('{"user":"anna"}');
  });

  it('a sign-out reaches the provider too, and gives the tokens back', async () => {
    const person = await signedIn();
    const token = tokens.latest;
    await person.submit(await person.visit(at('/sign-in/out')), { logout: 'yes' });
    expect(await user(person)).toEqual({ user: null });
    expect(desk.log.of('end').at(-1)).toMatchObject({ reason: 'logout', userId: 'anna' });
    expect(isAskedForName(await person.visit(at('/sign-in')))).toBe(true);
    await eventually('the token was revoked', async () => !(await isUsable(token)), A_WHILE);
  });

  it.each(['//elsewhere.example/', 'https://elsewhere.example/', '/\\elsewhere.example'])(
    'brings nobody to %s afterwards',
    async (returnTo) => {
      const person = new Visitor();
      const form = await person.visit(at(`/sign-in?returnTo=${encodeURIComponent(returnTo)}`));
      await person.submit(form, { login: 'anna', password: 'any' });
      expect(person.way.at(-1)!.href).toBe(at('/'));
    },
  );
});
