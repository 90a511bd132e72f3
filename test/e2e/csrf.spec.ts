import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Post, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Request } from 'express';
import type { FastifyReply } from 'fastify';
import { csrfSynchronisedProtection, generateToken } from '../../sample/recipes/csrf.js';
import { useCsrfProtection } from '../../sample/recipes/csrf-on-fastify.js';
import { ADAPTER } from '../support/adapters.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

@Controller('form')
class FormController {
  @Get()
  form(@Req() request: Request, @Res({ passthrough: true }) reply: FastifyReply): { token: string } {
    return { token: ADAPTER === 'express' ? generateToken(request) : reply.generateCsrf() };
  }

  @Post()
  submit(): object {
    return {};
  }
}

async function protect(app: INestApplication): Promise<void> {
  if (ADAPTER === 'express') app.use(csrfSynchronisedProtection);
  else await useCsrfProtection(app as NestFastifyApplication);
}

let desk: WatchedApp;
beforeEach(async () => {
  desk = await WatchedApp.start({
    controllers: [FormController],
    configure: (app, useSession) => {
      useSession();
      return protect(app);
    },
  });
});
afterEach(() => desk.close());

const tokenOf = async (browser: Browser): Promise<string> =>
  ((await browser.get('/form').expect(200)).body as { token: string }).token;
const submit = (browser: Browser, token: string) => browser.post('/form', {}).set('X-CSRF-Token', token);

async function signedIn(): Promise<Browser> {
  const browser = desk.browser();
  const token = await tokenOf(browser);
  await browser.post('/login', { user: 'anna' }).set('X-CSRF-Token', token).expect(201);
  return browser;
}

describe('a CSRF token that lives in the session', () => {
  it('outlasts pings, which need none', async () => {
    const browser = await signedIn();
    const token = await tokenOf(browser);
    for (let period = 0; period < 3; period += 1) {
      await desk.clock.advance(8);
      expect((await browser.ping({ idleFor: 0 }).expect(200)).body).toMatchObject({ state: 'active' });
    }
    await submit(browser, token).expect(201);
    await submit(browser, 'another').expect(403);
  });

  it('is renewed at the sign-in, and of no use when the session has ended', async () => {
    const browser = desk.browser();
    const before = await tokenOf(browser);
    await browser.post('/login', { user: 'anna' }).set('X-CSRF-Token', before).expect(201);
    const token = await tokenOf(browser);
    await submit(browser, before).expect(403);
    await submit(browser, token).expect(201);
    await desk.clock.advance(10);
    await submit(browser, token).expect(403);
    const after = await tokenOf(browser);
    await browser.post('/login', { user: 'anna' }).set('X-CSRF-Token', after).expect(201);
    expect(await browser.user()).toBe('anna');
  });

  it('signing out by the client needs none either', async () => {
    const browser = await signedIn();
    await browser.post('/session-security/end').expect(200);
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
  });
});
