import { describe, expect, it } from '@jest/globals';
import { SignIn } from '../../../lib/http/sign-in.js';
import type { SessionSecurityOptionsInput, SessionSecurityRequest } from '../../../lib/index.js';
import { validateOptions } from '../../../lib/options/index.js';

const request: SessionSecurityRequest = { method: 'GET', url: '/', headers: {} };

describe('the limits in force for a request', () => {
  const limits = (options: SessionSecurityOptionsInput): Promise<object> =>
    new SignIn(validateOptions({ warnAfter: 60, expireAfter: 90, ...options }).options).limits(request);

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

describe('who is signed in', () => {
  const ask = (options: object, session: object = {}): Promise<object | null> =>
    Promise.resolve(new SignIn(validateOptions(options).options).ask({ ...request, session }));

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
