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
});
