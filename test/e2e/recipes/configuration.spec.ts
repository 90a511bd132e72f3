import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { SessionSecurityService } from '../../../lib/index.js';
import { ConfiguredModule } from '../../../sample/recipes/configuration.js';
import { Messages } from '../../support/watched-app.js';

const VARIABLES = ['SESSION_WARN_AFTER', 'SESSION_EXPIRE_AFTER'];
afterEach(() => VARIABLES.forEach((name) => delete process.env[name]));

const boot = () =>
  Test.createTestingModule({ imports: [ConfiguredModule] })
    .setLogger(new Messages())
    .compile();

describe('a configuration from the environment', () => {
  it.each([
    [{}, 540, 600],
    [{ SESSION_WARN_AFTER: '120', SESSION_EXPIRE_AFTER: '180' }, 120, 180],
  ])('%j is in force', async (environment, warnAfter, expireAfter) => {
    Object.assign(process.env, environment);
    const module = await boot();
    const { limits } = module.get(SessionSecurityService, { strict: false }).describePolicy();
    expect(limits).toMatchObject({ warnAfter, expireAfter });
  });

  it('that is no number stops the application, by name', async () => {
    process.env['SESSION_EXPIRE_AFTER'] = 'ten minutes';
    await expect(boot()).rejects.toThrow(/expireAfter must be a positive number of seconds, but is NaN/);
  });
});
