import { describe, expect, it } from '@jest/globals';
import { ApplicationConfig } from '@nestjs/core';
import { NEVER as NOBODY } from 'rxjs';
import { SetupAdvisor } from '../../../lib/http/setup-advisor.js';
import { SignIn } from '../../../lib/http/sign-in.js';
import type { SessionSecurityOptionsInput, SessionSecurityRequest } from '../../../lib/index.js';
import { validateOptions } from '../../../lib/options/index.js';
import { keptMessages } from '../../support/kept-messages.js';

const request: SessionSecurityRequest = { method: 'GET', url: '/', headers: {} };

function signInWith(given: SessionSecurityOptionsInput): SignIn {
  const { options } = validateOptions(given);
  const advisor = new SetupAdvisor(
    options,
    new ApplicationConfig(),
    {} as never,
    { signals: NOBODY } as never,
  );
  return new SignIn(options, advisor);
}

describe('the limits in force for a request', () => {
  const limits = (options: SessionSecurityOptionsInput): Promise<object> =>
    signInWith({ warnAfter: 60, expireAfter: 90, ...options }).limits(request);

  it('are three numbers: they are kept in the store, and the options hold secrets', async () => {
    const given = await limits({ secret: 'a key that nobody but the server may know' });
    expect(given).toEqual({ warnAfter: 60, expireAfter: 90, maxLifetime: null });
  });

  it('are three numbers also where a function answers them with more', async () => {
    const own = { warnAfter: 20, expireAfter: 40, maxLifetime: 80, role: 'nurse' };
    expect(await limits({ limits: () => own })).toEqual({ warnAfter: 20, expireAfter: 40, maxLifetime: 80 });
  });

  it('cannot be told by a function that fails, and the message names it', async () => {
    const failing = (): never => {
      throw new Error('no answer');
    };
    await expect(limits({ limits: failing })).rejects.toThrow(/^the limits function failed: no answer$/);
  });
});

describe('limits by request with a preset', () => {
  const said = keptMessages();

  it('are shortened to what it requires, which is said once', async () => {
    const signIn = signInWith({ preset: 'pci-dss', limits: () => 'never' });
    const inForce = { warnAfter: 828, expireAfter: 888, maxLifetime: null };
    expect(await signIn.limits(request)).toEqual(inForce);
    expect(await signIn.limits(request)).toEqual(inForce);
    expect(said).toEqual([
      expect.stringMatching(
        /^The limits function answered 'never'. expireAfter: preset "pci-dss" asks for at most 900 .*It is shortened; in force is {"warnAfter":828,"expireAfter":888,"maxLifetime":null}/,
      ),
    ]);
  });

  it('may go beyond what it recommends, which is said once', async () => {
    let expireAfter = 1200;
    const signIn = signInWith({
      preset: 'hipaa',
      limits: () => ({ warnAfter: 600, expireAfter: expireAfter++ }),
    });
    expect(await signIn.limits(request)).toMatchObject({ expireAfter: 1200 });
    expect(await signIn.limits(request)).toMatchObject({ expireAfter: 1201 });
    expect(said).toEqual([
      expect.stringMatching(
        /^The limits function answered {"warnAfter":600,"expireAfter":1200,"maxLifetime":null}. expireAfter: preset "hipaa" asks for at most 900 .*It is a recommendation; in force is {"warnAfter":600,"expireAfter":1200,/,
      ),
    ]);
  });

  it('are each held to both: a required lifetime ends who is never to be signed out', async () => {
    const signIn = signInWith({ preset: 'nist-aal2', limits: () => 'never' });
    expect(await signIn.limits(request)).toEqual({
      warnAfter: 86_340,
      expireAfter: 86_400,
      maxLifetime: 86_400,
    });
    expect(said).toEqual([
      expect.stringMatching(/maxLifetime: .* asks for a limit, but there is none .*It is shortened/),
      expect.stringMatching(/expireAfter: .* at most 3600 seconds, but it is 86400 .*It is a recommendation/),
    ]);
  });

  it('are left as they are within it, without a word; so are those of the module', async () => {
    const own = { warnAfter: 60, expireAfter: 90, maxLifetime: 600 };
    expect(await signInWith({ preset: 'nist-aal3', limits: () => own }).limits(request)).toEqual(own);
    await signInWith({ preset: 'nist-aal3', limits: () => undefined }).limits(request);
    expect(said).toEqual([]);
  });
});

describe('who is signed in', () => {
  const ask = (options: object, session: object = {}): Promise<object | null> =>
    Promise.resolve(signInWith(options).ask({ ...request, session }));

  it.each<[string, unknown, string | undefined]>([
    ['a text', 'anna', 'anna'],
    ['a number, as databases give', 7, '7'],
    ['a large number', 9_007_199_254_740_993n, '9007199254740993'],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['false', false, undefined],
    ['a promise of a number', Promise.resolve(7), '7'],
  ])('by an identify function that answers %s', async (_, answer, userId) => {
    expect(await ask({ isAuthenticated: () => true, identify: () => answer })).toEqual({ userId });
  });

  it('cannot be told by an identify function that answers a whole user', () => {
    const identify = (): object => ({ name: 'Anna' });
    expect(() => ask({ isAuthenticated: () => true, identify })).toThrow(
      /^the identify function must answer a text, but answered an object$/,
    );
  });

  it.each(['isAuthenticated', 'identify'])('cannot be told by an %s function that fails', async (name) => {
    const cause = new Error('no answer');
    const failing = (): never => {
      throw cause;
    };
    const message = `the ${name} function failed: no answer`;
    const options = { isAuthenticated: () => true };
    expect(() => ask({ ...options, [name]: failing })).toThrow(expect.objectContaining({ message, cause }));
    await expect(ask({ ...options, [name]: () => Promise.reject(cause) })).rejects.toThrow(message);
  });

  it.each([7, 7n])('by the id %s of the user in the session', async (id) => {
    expect(await ask({}, { user: { id } })).toEqual({ userId: '7' });
  });

  it.each(['user', 'userId', 'passport'])('is nobody where the session holds an empty %s', async (name) => {
    for (const empty of ['', null, false, undefined])
      expect(await ask({}, { [name]: name === 'passport' ? { user: empty } : empty })).toBeNull();
  });

  it.each<[unknown, boolean]>([
    ['anna', true],
    [{ id: 'anna' }, true],
    [Promise.resolve('anna'), true],
    [undefined, false],
    [null, false],
    ['', false],
  ])('is judged of %p as JavaScript does: %s', async (answer, isSomebody) => {
    expect((await ask({ isAuthenticated: () => answer })) !== null).toBe(isSomebody);
  });
});
