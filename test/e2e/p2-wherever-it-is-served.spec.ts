import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, VersioningType } from '@nestjs/common';
import express from 'express';
import { ADAPTER, serveRaw } from '../support/adapters.js';
import { Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

interface Place {
  readonly place: string;
  /** Before the paths of controllers… */
  readonly routes: string;
  /** …and before the module's own, which have no version. */
  readonly own: string;
  readonly prepare?: (app: INestApplication) => void;
  /** The server that browsers see, if it is another. */
  readonly before?: (app: INestApplication) => unknown;
}

const PLACES: Place[] = [
  { place: 'at the root', routes: '', own: '' },
  {
    place: 'behind a global prefix and versions in the path',
    routes: '/api/v1',
    own: '/api',
    prepare: (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    },
  },
  {
    place: 'behind a global prefix from which its own routes are excluded',
    routes: '/api',
    own: '',
    prepare: (app) => void app.setGlobalPrefix('api', { exclude: ['session-security/*path'] }),
  },
  {
    place: 'mounted in another application, behind a global prefix',
    routes: '/clinic/api',
    own: '/clinic/api',
    prepare: (app) => void app.setGlobalPrefix('api'),
    before: (app) => express().use('/clinic', app.getHttpAdapter().getInstance()),
  },
];

/** Fastify mounts no application in another; its plugins below a prefix are in test/fastify. */
const possible = PLACES.filter(({ before }) => ADAPTER === 'express' || !before);

describe.each(possible)('served $place', ({ routes, own, prepare, before }) => {
  let desk: WatchedApp;
  let browser: Browser;
  afterEach(() => desk.close());

  const open = async (options: WatchedAppOptions = {}): Promise<void> => {
    desk = await WatchedApp.start({
      ...options,
      configure: (app, useSession) => {
        useSession();
        serveRaw(app, '/raw-sign-in', () => ({ page: 'sign-in' }));
        prepare?.(app);
      },
    });
    browser = new Browser(before ? { getHttpServer: () => before(desk.app) as Server } : desk.app);
  };
  const signIn = (user: string) => browser.post(`${routes}/login`, { user }).expect(201);
  const state = async () => (await browser.get(`${own}/session-security/ping`).expect(200)).body;

  it('P2 S18 the ping answers, the tag leads to the script, and both name the owner of the page', async () => {
    await open();
    await signIn('anna');
    const { owner } = await state();
    const { tag } = (await browser.get(`${routes}/tag`).expect(200)).body as { tag: string };
    const script = /src="([^"]+)"/.exec(tag)![1]!;
    expect(tag).toContain(`data-owner="${owner}"`);
    expect(script).toMatch(new RegExp(`^${own}/session-security/client\\.js`));
    await browser.get(script).expect(200);
    desk.clock.jump(1);
    await signIn('ben');
    expect((await state()).owner).not.toBe(owner);
  });

  it('P2 S1 passive requests do not count, pings do, and the end is told in the same way', async () => {
    await open({ security: { onExpired: 'reject' } });
    await signIn('anna');
    await desk.clock.advance(4);
    await browser.get(`${routes}/poll`).expect(200);
    expect((await state()).idleFor).toBe(4);
    await browser.post(`${own}/session-security/ping?x=1`, { idleFor: 1 }).expect(200);
    expect((await state()).idleFor).toBe(1);
    await desk.clock.advance(11);
    expect(await state()).toMatchObject({ state: 'expired', reason: 'idle' });
    expect((await browser.get(`${routes}/whoami`).expect(401)).body.code).toBe('session_expired');
  });

  describe('a sign-in page that is not there', () => {
    const said = () => desk.messages.matching(/to sign in, and was answered 404/);
    const mount = routes.replace(/\/api.*/, '');

    it('is named once, with what routes begin with, when somebody has been sent there', async () => {
      const loginUrl = `${mount}/nowhere`;
      await open({ security: { onExpired: 'redirect', loginUrl } });
      await signIn('anna');
      await desk.clock.advance(11);
      await browser.get(`${mount}/elsewhere?returnTo=%2F`).expect(404);
      expect(said()).toEqual([]);
      const sent = await browser.get(`${routes}/whoami`).set('Accept', 'text/html').expect(303);
      const location = sent.headers['location']!;
      await browser.get(location).expect(404);
      await browser.get(location).expect(404);
      // All responses are over then.
      await desk.close();
      const address = routes === '' ? 'ask for it.' : `begin with it is ${routes}/nowhere.`;
      expect(said()).toEqual([expect.stringContaining(address)]);
    });

    it('is named also where the application sends people itself, or the sign-out: without a way back', async () => {
      await open({ security: { loginUrl: `${mount}/nowhere` } });
      await browser.head(`${mount}/nowhere`).expect(404);
      await browser.post(`${mount}/nowhere`, {}).expect(404);
      await browser.get(`${mount}/nowhere/at-all`).expect(404);
      expect(said()).toEqual([]);
      await browser.get(`${mount}/nowhere`).expect(404);
      // All responses are over then.
      await desk.close();
      expect(said()).toHaveLength(1);
    });

    it.each(['a route', 'a handler of the framework'])('is not missed where it is %s', async (kind) => {
      const loginUrl = kind === 'a route' ? `${routes}/login` : `${mount}/raw-sign-in`;
      await open({ security: { loginUrl } });
      await browser.get(loginUrl).expect(200);
      await browser.get(`${loginUrl}?returnTo=%2F`).expect(200);
      // All responses are over then.
      await desk.close();
      expect(said()).toEqual([]);
    });
  });

  it('S22 the expire event carries the user, with no tab open', async () => {
    await open();
    await signIn('anna');
    await desk.clock.advance(12);
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'idle' })]);
  });
});
