import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Req } from '@nestjs/common';
import { refuseBefore } from '../support/adapters.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

/** A sign-in that knows nothing of the module. */
@Controller('plain')
class PlainSignInController {
  @Get('sign-in')
  page(): string {
    return 'the form';
  }

  @Post('sign-in')
  signIn(@Req() request: { session: Record<string, unknown> }): void {
    request.session['user'] = { id: 'anna' };
  }
}

describe('S the server decides', () => {
  let desk: WatchedApp;
  const open = async (options?: WatchedAppOptions): Promise<void> => {
    desk = await WatchedApp.start(options);
  };
  const restart = async (options?: WatchedAppOptions): Promise<void> => {
    await desk.close();
    await open({ ...options, store: desk.store, clock: desk.clock });
  };
  afterEach(() => desk.close());

  describe('S1 an expired session cannot be revived', () => {
    it.each([[{ idleFor: 0 }], [{ idleFor: 9 }], [{}], [undefined]])(
      'S1 a ping with %j after E answers expired, and the next request is anonymous',
      async (body) => {
        await open();
        const browser = await desk.signedIn();
        desk.clock.jump(12);
        const answer = await browser.ping(body).expect(200);
        expect(answer.body).toMatchObject({ state: 'expired', reason: 'idle', idleFor: null, owner: null });
        expect(await browser.user()).toBeNull();
        expect(Object.keys(desk.stored())).toEqual([]);
        expect(desk.log.of('expire')).toHaveLength(1);
      },
    );

    it('S1 a negative idleFor is refused, and the session is as dead as before', async () => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(12);
      await browser.ping({ idleFor: -1 }).expect(400);
      expect((await browser.state()).state).toBe('expired');
      expect(await browser.user()).toBeNull();
    });
  });

  it('S2 the boundary is inclusive: at E - 0.1 alive, at E expired', async () => {
    await open();
    const browser = await desk.signedIn();
    desk.clock.jump(9.9);
    expect(await browser.user()).toBe('anna');
    desk.clock.jump(10);
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('expire')).toHaveLength(1);
  });

  describe('S3 expiry does not depend on the lifetime of the cookie', () => {
    const persistent = { session: { cookie: { maxAge: 86_400_000 } } };

    it('S3 a cookie kept for a day is worth nothing after E', async () => {
      await open(persistent);
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      expect(await browser.user()).toBeNull();
    });

    it('S3 a persistent cookie is reported once', async () => {
      await open(persistent);
      await desk.signedIn('anna');
      await desk.signedIn('ben');
      const reports = desk.messages.matching(/persistent/);
      expect(reports).toHaveLength(1);
      expect(reports[0]).toMatch(/86400 s.*allowPersistentCookie: true/);
    });

    it('S3 allowPersistentCookie silences the report', async () => {
      await open({ ...persistent, security: { allowPersistentCookie: true } });
      await desk.signedIn();
      expect(desk.messages.matching(/persistent/)).toEqual([]);
    });

    it('S3 strict makes it an error: nobody is let in', async () => {
      await open({ ...persistent, security: { warnAfter: 500, expireAfter: 600, strict: true } });
      const browser = desk.browser();
      await browser.post('/login', { regenerate: true });
      expect(await browser.user()).toBeNull();
      expect(desk.messages.matching(/persistent/)).not.toEqual([]);
    });
  });

  describe('S4 what never moves last activity', () => {
    it.each([
      ['a ping without idleFor', (browser) => browser.ping({}).expect(200)],
      ['an empty ping', (browser) => browser.ping().expect(200)],
      ['a GET of the ping', (browser) => browser.get('/session-security/ping').expect(200)],
      ['a HEAD request', (browser) => browser.head('/whoami').expect(200)],
      ['a HEAD of the ping', (browser) => browser.head('/session-security/ping').expect(200)],
      ['an OPTIONS request', (browser) => browser.options('/whoami')],
      ['a refused ping', (browser) => browser.ping({ idleFor: 'now' }).expect(400)],
      [
        'a refused cross-site ping',
        (browser) => browser.ping({ idleFor: 0 }).set('Sec-Fetch-Site', 'cross-site').expect(403),
      ],
    ] as [string, (browser: ReturnType<WatchedApp['browser']>) => PromiseLike<unknown>][])(
      'S4 %s',
      async (_, send) => {
        await open();
        const browser = await desk.signedIn();
        desk.clock.jump(4);
        await send(browser);
        expect((await browser.state()).idleFor).toBe(4);
      },
    );

    it('S4 while a ping with idleFor does', async () => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(4);
      expect((await browser.ping({ idleFor: 1.5 }).expect(200)).body.idleFor).toBe(1.5);
    });
  });

  describe('S5 cross-site requests cannot keep a session alive', () => {
    it.each([
      ['Sec-Fetch-Site', 'cross-site', 403],
      ['Sec-Fetch-Site', 'same-site', 403],
      ['Sec-Fetch-Site', 'none', 403],
      ['Sec-Fetch-Site', 'same-origin', 200],
      ['Origin', 'https://evil.example', 403],
      ['Origin', 'null', 403],
    ])('S5 %s: %s is answered %i', async (header, value, status) => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(4);
      const answer = await browser.ping({ idleFor: 0 }).set(header, value).expect(status);
      if (status === 403) {
        expect(answer.headers['content-type']).toMatch('application/problem+json');
        expect(answer.body.code).toBe('cross_site');
      }
      expect((await browser.state()).idleFor).toBe(status === 403 ? 4 : 0);
    });

    it('S5 an Origin of this very host is let through', async () => {
      await open();
      const browser = await desk.signedIn();
      await browser
        .ping({ idleFor: 0 })
        .set('Host', 'desk.example')
        .set('Origin', 'https://desk.example')
        .expect(200);
    });

    it('S5 a sign-out from another site is refused too', async () => {
      await open();
      const browser = await desk.signedIn();
      await browser.post('/session-security/end').set('Sec-Fetch-Site', 'cross-site').expect(403);
      expect(await browser.user()).toBe('anna');
    });
  });

  describe('S6 idleFor is parsed strictly', () => {
    it.each([
      ['a string', '{"idleFor":"3"}', 400],
      ['an array', '{"idleFor":[3]}', 400],
      ['null', '{"idleFor":null}', 400],
      ['a boolean', '{"idleFor":true}', 400],
      ['an object', '{"idleFor":{}}', 400],
      ['negative', '{"idleFor":-0.5}', 400],
      ['NaN', '{"idleFor":NaN}', 400],
      ['an exponent beyond range', '{"idleFor":1e400}', 400],
      ['hexadecimal', '{"idleFor":0x10}', 400],
      ['a list as body', '[1]', 400],
      ['half a body', '{"idleFor":', 400],
      ['a large body', JSON.stringify({ idleFor: 0, padding: 'x'.repeat(5_000) }), 413],
      ['a huge body', JSON.stringify({ idleFor: 0, padding: 'x'.repeat(300_000) }), 413],
    ])('S6 %s is refused, and nothing moves', async (_, body, status) => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(4);
      const answer = await browser.ping().set('Content-Type', 'application/json').send(body);
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.body).toMatchObject({ status, code: 'malformed_ping' });
      expect((await browser.state()).idleFor).toBe(4);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded'])(
      'S6 %s is refused with 415',
      async (type) => {
        await open();
        const browser = await desk.signedIn();
        desk.clock.jump(4);
        const answer = await browser.ping().set('Content-Type', type).send('idleFor=0');
        expect(answer.status).toBe(415);
        expect((await browser.state()).idleFor).toBe(4);
      },
    );

    it.each([
      ['{"idleFor":0}', 200],
      ['{"idleFor":"3"}', 400],
      ['{"idleFor"', 400],
      [JSON.stringify({ idleFor: 0, padding: 'x'.repeat(5_000) }), 413],
    ])('S6 without a body parser %.20s is answered %i all the same', async (body, status) => {
      await open({ bodyParser: false, security: { isAuthenticated: () => true } });
      const browser = desk.browser();
      await browser.get('/status').expect(200);
      const answer = await browser.ping().set('Content-Type', 'application/json').send(body);
      expect(answer.status).toBe(status);
    });

    it('S6 1e308 seconds are finite: nothing moves, nothing breaks', async () => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(4);
      const answer = await browser.ping().set('Content-Type', 'application/json').send('{"idleFor":1e308}');
      expect(answer.body).toMatchObject({ state: 'active', idleFor: 4 });
    });

    it('S6 idleFor on any other route is ignored', async () => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(4);
      await browser.get('/poll?idleFor=0').expect(200);
      expect((await browser.state()).idleFor).toBe(4);
    });
  });

  it.each([1, 3_600, 86_400])(
    'S7 a stored stamp %i s in the future neither logs out nor extends',
    async (ahead) => {
      await open({ security: { flushInterval: 1 } });
      const browser = await desk.signedIn();
      await restart({ security: { flushInterval: 1 } });
      await desk.changeRecord((record) => (record.lastActivityAt += ahead * 1000));
      browser.moveTo(desk);
      expect(await browser.state()).toMatchObject({ state: 'active', idleFor: 0, expireIn: 10 });
      await desk.clock.advance(9.9);
      expect((await browser.state()).state).toBe('warning');
      await desk.clock.advance(0.1);
      expect((await browser.state()).state).toBe('expired');
    },
  );

  it.each([
    ['an hour, as on a machine whose clock was set back', 3600],
    ['a hundred years, as in a foreign record', 100 * 365 * 86_400],
  ])(
    'S7 S20 of a sign-in that is stored in the future the lifetime counts from now: %s',
    async (_, ahead) => {
      const security = { maxLifetime: 20 };
      await open({ security });
      const browser = await desk.signedIn();
      await restart({ security });
      await desk.changeRecord((record) => {
        record.startedAt += ahead * 1000;
        record.lastActivityAt = record.startedAt;
      });
      browser.moveTo(desk);
      const endures = async (seconds: number): Promise<void> => {
        for (let second = 0; second < seconds; second++) {
          expect(await browser.user()).toBe('anna');
          await desk.clock.advance(1);
        }
      };
      await endures(12);
      expect(await desk.security.list()).toEqual([expect.objectContaining({ expireIn: 8 })]);
      // Another restart gives no more time.
      await restart({ security });
      browser.moveTo(desk);
      await endures(8);
      expect(await browser.state()).toMatchObject({ state: 'expired', reason: 'lifetime' });
      expect(desk.log.of('expire')).toHaveLength(1);
    },
  );

  it('S8 an idle time of more than a day is reported in full', async () => {
    await open({ security: { warnAfter: 100_000, expireAfter: 200_001 } });
    const browser = await desk.signedIn();
    desk.clock.jump(86_405);
    expect((await browser.state()).idleFor).toBe(86_405);
  });

  it.each(['Europe/Berlin', 'America/New_York', 'Pacific/Apia'])(
    'S9 both changes of daylight saving time pass unnoticed in %s',
    async (zone) => {
      const before = process.env['TZ'];
      process.env['TZ'] = zone;
      try {
        for (const instant of [
          '2027-03-28T00:59:55Z',
          '2026-10-25T00:59:55Z',
          '2027-03-14T06:59:55Z',
          '2026-11-01T05:59:55Z',
        ]) {
          const clock = new VirtualClock(Date.parse(instant));
          const app = await WatchedApp.start({ clock });
          const browser = await app.signedIn();
          clock.jump(9.9);
          expect(await browser.user()).toBe('anna');
          expect((await browser.state()).expireIn).toBe(10);
          clock.jump(10);
          expect(await browser.user()).toBeNull();
          await app.close();
        }
      } finally {
        process.env['TZ'] = before;
      }
      await open();
    },
  );

  describe('S10 a corrupt or foreign record is treated as ended, and reported once', () => {
    it.each([
      ['garbage', () => 'garbage'],
      ['null', () => null],
      ['a list', () => []],
      ['missing fields', () => ({ version: 1 })],
      ['wrong types', (record: object) => ({ ...record, lastActivityAt: 'yesterday' })],
      [
        'contradicting limits',
        (record: object) => ({ ...record, limits: { warnAfter: 10, expireAfter: 5 } }),
      ],
      ['another version', (record: object) => ({ ...record, version: 99 })],
    ])('S10 %s', async (_, corrupt) => {
      await open();
      const [anna, ben] = [await desk.signedIn('anna'), await desk.signedIn('ben')];
      await restart();
      await desk.replaceRecords(corrupt);
      expect(await anna.moveTo(desk).user()).toBeNull();
      expect(await ben.moveTo(desk).user()).toBeNull();
      expect(desk.messages.matching(/cannot be read; its session is treated as ended/)).toHaveLength(1);
    });
  });

  describe('S11 after expiry the handler does not run as the old user', () => {
    it.each(['get', 'post'] as const)('S11 %s goes on as anonymous by default', async (method) => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const answer = await browser[method]('/whoami');
      expect(answer.status).toBeLessThan(300);
      expect(answer.body).toEqual({ user: null });
    });

    it.each(['get', 'post'] as const)("S11 with 'reject' %s is answered 401", async (method) => {
      await open({ security: { onExpired: 'reject' } });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      await browser[method]('/whoami').expect(401);
    });

    it("S11 with 'redirect' a page navigation is sent to the sign-in page, with the way back", async () => {
      await open({ security: { onExpired: 'redirect', loginUrl: '/login?kiosk=1' } });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const answer = await browser.get('/whoami?tab=2').set('Accept', 'text/html').expect(303);
      expect(answer.headers['location']).toBe('/login?kiosk=1&returnTo=%2Fwhoami%3Ftab%3D2');
      await browser.get('/login').set('Accept', 'text/html').expect(200);
    });

    it("S11 with 'redirect' a posted page goes to the sign-in page without a way back", async () => {
      await open({ security: { onExpired: 'redirect', loginUrl: '/login' } });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const answer = await browser.post('/whoami').set('Sec-Fetch-Mode', 'navigate').expect(303);
      expect(answer.headers['location']).toBe('/login');
    });

    it.each(['reject', 'redirect'] as const)(
      "S11 with '%s' nobody is locked out: the sign-in page is reached, and what it posts to",
      async (onExpired) => {
        await open({
          controllers: [PlainSignInController],
          security: { onExpired, loginUrl: '/plain/sign-in?kiosk=1' },
        });
        const browser = await desk.signedIn();
        const old = browser.cookies.get('connect.sid')!;
        await desk.clock.advance(12);
        await browser.get('/whoami').set('Accept', 'text/html');
        expect(browser.cookies.has('connect.sid')).toBe(false);
        browser.cookies.set('connect.sid', old);
        await browser.get('/plain/sign-in/?returnTo=%2Fwhoami').set('Accept', 'text/html').expect(200);
        await browser.post('/plain/sign-in').expect(201);
        expect(await browser.user()).toBe('anna');
      },
    );

    it.each([
      ['JSON', { Accept: 'application/json' }],
      ['fetch', { Accept: '*/*', 'Sec-Fetch-Mode': 'cors' }],
      ['XMLHttpRequest', { Accept: 'text/html', 'X-Requested-With': 'XMLHttpRequest' }],
    ])("S11 with 'redirect' a %s caller gets 401, never HTML", async (_, headers) => {
      await open({ security: { onExpired: 'redirect', loginUrl: '/login' } });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const answer = await browser.get('/whoami').set(headers).expect(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
    });
  });

  describe('S12 the answer is the same whether this request found the end or the deadline had come first', () => {
    const found = (): Promise<void> => Promise.resolve(desk.clock.jump(12));
    const ended = (): Promise<void> => desk.clock.advance(12);

    it.each(['anonymous', 'reject', 'redirect'] as const)('S12 with %s', async (onExpired) => {
      const answers = [];
      for (const pass of [found, ended]) {
        await open({ security: { onExpired, loginUrl: '/login', cookieName: 'connect.sid' } });
        const browser = await desk.signedIn();
        await pass();
        const [page, call] = [
          await browser.get('/whoami').set('Accept', 'text/html'),
          await browser.get('/whoami'),
        ];
        const { date, 'set-cookie': cookies, ...headers } = call.headers;
        expect(date).toBeDefined();
        answers.push([
          page.status,
          page.headers['location'],
          call.status,
          call.body,
          headers,
          Boolean(cookies),
        ]);
        if (pass === found) await desk.close();
      }
      expect(answers[0]).toEqual(answers[1]);
    });

    it('S12 a 401 says why, is not stored, and clears the cookie whose name is known', async () => {
      await open({ security: { onExpired: 'reject', cookieName: 'connect.sid', loginUrl: '/login' } });
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      const answer = await browser.get('/whoami').expect(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.headers['www-authenticate']).toMatch(/^Session /);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).toMatchObject({
        status: 401,
        code: 'session_expired',
        reason: 'idle',
        loginUrl: '/login',
      });
      expect(browser.cookies.has('connect.sid')).toBe(false);
    });

    it('S12 a ping tells the reason in both cases', async () => {
      for (const pass of [found, ended]) {
        await open();
        const browser = await desk.signedIn();
        await pass();
        expect((await browser.ping({ idleFor: 0 }).expect(200)).body).toMatchObject({
          state: 'expired',
          reason: 'idle',
        });
        if (pass === found) await desk.close();
      }
    });
  });

  describe('S13 limits per request', () => {
    const limits: NonNullable<WatchedAppOptions['security']>['limits'] = (call) => {
      const user = (call.session as { user?: { id: string } }).user?.id;
      if (user === 'doctor') return { warnAfter: 50, expireAfter: 60 };
      return user === 'wallboard' ? 'never' : undefined;
    };

    it('S13 each user has their own, in enforcement and ping alike', async () => {
      await open({ security: { limits } });
      const [doctor, anna] = [await desk.signedIn('doctor'), await desk.signedIn('anna')];
      expect((await doctor.state()).limits).toEqual({ warnAfter: 50, expireAfter: 60, maxLifetime: null });
      expect((await anna.state()).limits).toEqual({ warnAfter: 5, expireAfter: 10, maxLifetime: null });
      await desk.clock.advance(30);
      expect(await doctor.user()).toBe('doctor');
      expect(await anna.user()).toBeNull();
      expect(desk.log.of('expire').map(({ userId }) => userId)).toEqual(['anna']);
    });

    it('S13 an exempt user is never ended, and the client is told to set no timers', async () => {
      await open({ security: { limits } });
      const browser = await desk.signedIn('wallboard');
      await desk.clock.advance(30);
      desk.clock.jump(10 * 86_400);
      await desk.clock.advance(2);
      expect(await browser.state()).toMatchObject({ state: 'exempt', expireIn: null, limits: null });
      expect(await browser.user()).toBe('wallboard');
      expect([...desk.log.of('warn'), ...desk.log.of('end')]).toEqual([]);
    });

    it('S13 a shortening takes effect at once, also without a request', async () => {
      let current = { warnAfter: 50, expireAfter: 60 };
      await open({ security: { limits: () => current } });
      const browser = await desk.signedIn();
      current = { warnAfter: 5, expireAfter: 10 };
      expect((await browser.state()).expireIn).toBe(10);
      await desk.clock.advance(11);
      expect(desk.log.of('expire')).toHaveLength(1);
    });

    it('S13 limits that contradict themselves let nobody in, and are reported', async () => {
      await open({ security: { limits: () => ({ warnAfter: 10, expireAfter: 5 }) } });
      const browser = desk.browser();
      await browser.post('/login', { user: 'anna' });
      expect(await browser.user()).toBeNull();
      expect(
        desk.messages.matching(
          /limits function answered: warnAfter \(10\) must be less than expireAfter \(5\)/,
        ),
      ).not.toEqual([]);
    });
  });

  describe('S14 several applications in one process', () => {
    it('S14 do not interfere', async () => {
      const clock = new VirtualClock();
      await open({ clock, security: { path: 'watch' } });
      const other = await WatchedApp.start({ clock, security: { warnAfter: 50, expireAfter: 60 } });
      const [here, there] = [await desk.signedIn(), await other.signedIn()];
      await clock.advance(15);
      expect(await here.user()).toBeNull();
      expect(await there.user()).toBe('anna');
      await here.get('/session-security/ping').expect(404);
      await here.get('/watch/ping').expect(200);
      expect(other.log.of('expire')).toEqual([]);
      await other.close();
    });
  });

  describe('S15 signing in restarts both clocks', () => {
    it.each([true, false])(
      'S15 over an expired session at the first try (id regenerated: %s)',
      async (regenerate) => {
        for (const onExpired of ['anonymous', 'reject'] as const) {
          await open({ security: { onExpired } });
          const browser = await desk.signedIn('anna');
          desk.clock.jump(12);
          await browser.post('/login', { user: 'ben', regenerate }).expect(201);
          expect(await browser.user()).toBe('ben');
          expect(await browser.state()).toMatchObject({ state: 'active', idleFor: 0 });
          if (onExpired === 'anonymous') await desk.close();
        }
      },
    );

    it.each([true, false])(
      'S15 over an old session whose lifetime is nearly over (id regenerated: %s)',
      async (regenerate) => {
        await open({ security: { maxLifetime: 20 } });
        const browser = await desk.signedIn('anna');
        for (const pause of [9, 9]) {
          desk.clock.jump(pause);
          await browser.user();
        }
        await browser.post('/login', { user: 'ben', regenerate }).expect(201);
        expect(await browser.state()).toMatchObject({ state: 'active', lifetimeIn: 20, idleFor: 0 });
        expect(desk.log.of('end').map(({ reason, userId }) => [reason, userId])).toEqual([
          ['replaced', 'anna'],
        ]);
      },
    );

    it('S15 with a token of the sign-in form that stood open for longer than E', async () => {
      await open({
        configure: (app, useSession) => {
          useSession();
          // What every CSRF library with a session does: the form's secret lives in the anonymous session.
          refuseBefore(app, '/login', ({ method, session }) => {
            if (method === 'GET') session!.secret ??= 'form secret';
            return session!.secret === 'form secret' ? undefined : 403;
          });
        },
      });
      const browser = desk.browser();
      await browser.get('/login').expect(200);
      await desk.clock.advance(30);
      await browser.post('/login', { user: 'anna' }).expect(201);
      expect(await browser.user()).toBe('anna');
    });
  });

  describe('S16 first sight', () => {
    it('S16 a session signed in before the module was there is watched from now on', async () => {
      await open();
      const browser = await desk.signedIn();
      await desk.dropRecords();
      await desk.changeSessions((data) => delete data['sessionSecurity']);
      await restart();
      desk.clock.jump(3_600);
      expect(await browser.moveTo(desk).user()).toBe('anna');
      expect((await browser.state()).expireIn).toBe(10);
      desk.clock.jump(10);
      expect(await browser.user()).toBeNull();
    });

    it('S16 with a marker and without a record it is dead', async () => {
      await open();
      const browser = await desk.signedIn();
      await desk.dropRecords();
      await restart();
      await desk.browser().user();
      expect(await browser.moveTo(desk).user()).toBeNull();
      expect((await browser.state()).state).toBe('expired');
    });

    it('S16 so is the very first request of a process', async () => {
      await open();
      const browser = await desk.signedIn();
      await desk.dropRecords();
      await restart();
      expect(await browser.moveTo(desk).user()).toBeNull();
      expect(Object.values(desk.stored()).filter((entry) => entry.user)).toEqual([]);
    });

    it('S16 a record survives a restart with its idle time', async () => {
      await open({ security: { flushInterval: 1 } });
      const browser = await desk.signedIn();
      await restart();
      desk.clock.jump(6);
      expect((await browser.moveTo(desk).state()).idleFor).toBe(5);
    });
  });

  it('S17 a user who is blocked while the session lives: the ping says expired at once', async () => {
    const blocked = new Set<string>();
    await open({
      security: {
        isAuthenticated: (call) => {
          const user = (call.session as { user?: { id: string } }).user?.id;
          return user !== undefined && !blocked.has(user);
        },
      },
    });
    const browser = await desk.signedIn();
    blocked.add('anna');
    expect(await browser.state()).toMatchObject({ state: 'expired', reason: 'revoked' });
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['revoked']);
    blocked.clear();
    expect((await browser.state()).state).not.toBe('expired');
  });

  it('S18 the ping carries an owner that changes with the user and the sign-in, and says neither', async () => {
    await open();
    const browser = await desk.signedIn('anna');
    const first = (await browser.state()).owner;
    expect((await browser.state()).owner).toBe(first);
    desk.clock.jump(1);
    await browser.post('/login', { user: 'ben' });
    const second = (await browser.state()).owner;
    expect(second).not.toBe(first);
    expect(`${first}${second}`).not.toMatch(/anna|ben/);
  });

  it('T16 before the dot of the owner stands the user, the same after another sign-in and on another server', async () => {
    await open({ security: { secret: 'only for tests, thirty-two characters' } });
    const ownerOf = async (user: string) => (await (await desk.signedIn(user)).state()).owner as string;
    const [first, other] = [await ownerOf('anna'), await ownerOf('ben')];
    await restart({ security: { secret: 'only for tests, thirty-two characters' } });
    desk.clock.jump(1);
    const second = await ownerOf('anna');
    const userOf = (owner: string) => owner.split('.')[0];
    expect(second).not.toBe(first);
    expect(userOf(second)).toBe(userOf(first));
    expect(userOf(other)).not.toBe(userOf(first));
  });

  it('T16 nobody without an id is taken for the same user', async () => {
    await open({ security: { identify: () => undefined } });
    const ownerOf = async () => (await (await desk.signedIn()).state()).owner as string;
    const first = await ownerOf();
    desk.clock.jump(1);
    expect(first).not.toContain('.');
    expect(await ownerOf()).not.toBe(first);
  });

  it.each([
    ['de', 'de'],
    ['DE-at', 'de'],
    ['', 'fr'],
  ])('D5 a page in the language "%s" gets the texts of %s', async (language, tag) => {
    await open();
    const asked = desk.browser().get(`/session-security/ping?start=1&language=${language}`);
    const { client } = (await asked.set('Accept-Language', 'fr').expect(200)).body;
    expect(client.texts).toMatchObject({ lang: tag });
  });

  it.each([
    'language=de&language=fr',
    'language[a]=1',
    'language=%F0%9F%98%80',
    `language=${'x-'.repeat(500)}`,
  ])('D5 a language that is none (%s) is no error', async (query) => {
    await open();
    const { client } = (await desk.browser().get(`/session-security/ping?start=1&${query}`).expect(200)).body;
    expect(client.application).toBe('session-security');
  });

  describe('S19 why it ended is said once', () => {
    it.each([
      ['found by the page', async (browser: Browser) => void (await browser.get('/whoami'))],
      ['told to a ping first', async (browser: Browser) => void (await browser.ping())],
      ['not noticed before', () => Promise.resolve()],
    ])('S19 on the sign-in page after an expiry %s', async (_, notice) => {
      await open();
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      await notice(browser);
      expect((await browser.get('/login')).body.notice).toBe('idle');
      expect((await browser.get('/login')).body.notice).toBeNull();
    });

    it('S19 not after a sign-out', async () => {
      await open();
      const browser = await desk.signedIn();
      await browser.post('/logout');
      expect((await browser.get('/login')).body.notice).toBeNull();
    });

    it('S19 not after a later sign-out, if nobody had asked before', async () => {
      await open();
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      await browser.ping();
      await browser.post('/login', { user: 'anna' });
      await browser.user();
      await browser.post('/logout');
      expect((await browser.get('/login')).body.notice).toBeNull();
    });
  });

  it('S20 a session touched every second ends at start + maxLifetime, and pings cannot move that', async () => {
    await open({ security: { maxLifetime: 20 } });
    const browser = await desk.signedIn();
    for (let second = 1; second < 20; second++) {
      await desk.clock.advance(1);
      const { body } = await browser.ping({ idleFor: 0 });
      expect(body.expireIn).toBe(Math.min(10, 20 - second));
      if (second >= 15) expect(body).toMatchObject({ state: 'warning', reason: 'lifetime' });
    }
    expect(await browser.user()).toBe('anna');
    await desk.clock.advance(1);
    expect((await browser.state()).reason).toBe('lifetime');
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ reason: 'lifetime' })]);
  });

  it('S21 the reason is distinct', async () => {
    await open({ security: { maxLifetime: 12 } });
    await desk.signedIn('idle');
    const lifetime = await desk.signedIn('lifetime');
    await desk.clock.advance(9);
    await lifetime.user();
    await desk.clock.advance(4);
    await (await desk.signedIn('logout')).post('/logout');
    await desk.signedIn('revoked');
    expect(await desk.security.endAll('revoked')).toBe(1);
    await (await desk.signedIn('replaced')).post('/login', { user: 'next' });
    const ends = desk.log.of('end').map(({ userId, reason }) => [userId, reason]);
    expect(ends).toEqual(
      ['idle', 'lifetime', 'logout', 'revoked', 'replaced'].map((reason) => [reason, reason]),
    );
  });

  it('S22 the expire event carries the user, with no tab open', async () => {
    await open();
    await desk.signedIn('anna');
    await desk.clock.advance(12);
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'idle' })]);
  });

  it('the story of the ping: server and client idle, and what is answered', async () => {
    await open();
    for (const [server, client, answer] of [
      [1, 4, 1],
      [3, 2, 2],
      [5, 5, 5],
      [12, 14, 'expired'],
      [12, 0, 'expired'],
    ] as const) {
      const browser = await desk.signedIn();
      desk.clock.jump(server);
      const { body } = await browser.ping({ idleFor: client }).expect(200);
      expect(body.state === 'expired' ? 'expired' : body.idleFor).toBe(answer);
    }
  });
});
