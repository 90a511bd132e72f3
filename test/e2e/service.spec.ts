import { channel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom, toArray } from 'rxjs';
import {
  AllowExpired,
  diagnostics,
  SessionSecurityModule,
  SessionSecurityService,
  type SessionSecurityRequest,
} from '../../lib/index.js';
import { eventually } from '../support/real-time.js';
import { HeldStore, isRecord } from '../support/held-store.js';
import { serveRaw, trustProxies } from '../support/adapters.js';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0';

/** Keeps the ends of requests that were told to wait for theirs. */
const endings: Promise<unknown[]>[] = [];

@Controller('account')
class AccountController {
  constructor(private readonly security: SessionSecurityService) {}

  @Post('touch')
  touch(@Req() request: SessionSecurityRequest) {
    return this.security.touch(request);
  }

  @Post('end')
  async end(@Req() request: SessionSecurityRequest) {
    await this.security.end(request, 'revoked');
    return { user: (request.session as { user?: object }).user ?? null };
  }

  @Post('end-others')
  endOthers(@Req() request: SessionSecurityRequest) {
    return this.security.endOthers(request);
  }

  @Post('reauthenticated')
  reauthenticated(@Req() request: SessionSecurityRequest) {
    return this.security.reauthenticated(request);
  }

  @Post('reference')
  async reference(@Req() request: SessionSecurityRequest & { session: { user?: object } }) {
    const before = this.security.referenceOf(request) ?? null;
    const { session } = request as unknown as { session: { regenerate(done: () => void): void } };
    await new Promise<void>((resolve) => session.regenerate(resolve));
    request.session.user = { id: 'ben' };
    return { before, after: this.security.referenceOf(request) };
  }

  @Post('answered')
  answered(
    @Req() request: { session: { user?: object } },
    @Res() response: { send(body: object): unknown },
  ): void {
    request.session.user = { id: 'anna' };
    response.send({ signedIn: true });
  }

  @Get('wait')
  wait(@Req() request: SessionSecurityRequest) {
    endings.push(firstValueFrom(this.security.ended(request).pipe(toArray())));
    return {};
  }
}

describe('the service', () => {
  let desk: WatchedApp;
  const open = async (options?: WatchedAppOptions): Promise<void> => {
    endings.length = 0;
    desk = await WatchedApp.start({ controllers: [AccountController], ...options });
  };
  afterEach(() => desk.close());

  it('a session is called by the name that its events have, also by the handler that signs somebody in', async () => {
    await open();
    const browser = await desk.signedIn();
    const { before, after } = (await browser.post('/account/reference').expect(201)).body as {
      before: string;
      after: string;
    };
    expect(desk.log.events.map(({ kind, session }) => [kind, session])).toEqual([
      ['start', before],
      ['end', before],
      ['start', after],
    ]);
    expect((await desk.security.list('ben')).map(({ session }) => session)).toEqual([after]);
    expect(JSON.stringify([before, after])).not.toContain(browser.sessionId);
  });

  it('status and touch', async () => {
    await open();
    const browser = await desk.signedIn();
    desk.clock.jump(6);
    expect((await browser.get('/status')).body).toMatchObject({ state: 'warning', idleFor: 6, expireIn: 4 });
    expect((await browser.post('/account/touch')).text).toBe('true');
    expect((await browser.get('/status')).body).toMatchObject({ state: 'active', idleFor: 0 });
    expect((await desk.browser().post('/account/touch')).text).toBe('false');
    expect((await desk.browser().get('/status')).body).toMatchObject({ state: 'anonymous' });
  });

  it('S21 end: the session is gone and the request goes on as nobody', async () => {
    await open();
    const browser = await desk.signedIn();
    expect((await browser.post('/account/end')).body).toEqual({ user: null });
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['revoked']);
  });

  it.each<[string, boolean, string]>([
    ['when its deadline comes', false, 'idle'],
    ['when its activity cannot be written', true, 'revoked'],
  ])('V4 who waits for a session whose record is lost goes on, %s', async (_, isActive, reason) => {
    await open({ security: { flushInterval: 2 } });
    const browser = await desk.signedIn();
    await browser.get('/account/wait');
    await desk.clock.advance(1);
    if (isActive) await browser.user();
    await desk.dropRecords();
    await desk.clock.advance(isActive ? 3 : 20);
    expect(await Promise.race([endings[0], desk.clock.advance(1)])).toEqual([reason]);
    expect(await browser.user()).toBeNull();
  });

  it('ASVS 7.4.3 endOthers: this session survives, all others of the user end, other users keep theirs', async () => {
    await open();
    const [here, there, ben] = [await desk.signedIn(), await desk.signedIn(), await desk.signedIn('ben')];
    expect((await here.post('/account/end-others')).text).toBe('1');
    expect([await here.user(), await there.user(), await ben.user()]).toEqual(['anna', null, 'ben']);
    expect((await desk.browser().post('/account/end-others')).text).toBe('0');
  });

  it('ASVS 7.4.2 endAll: ten sessions of a user end, each with its event', async () => {
    await open();
    for (let count = 0; count < 10; count++) await desk.signedIn();
    await desk.signedIn('ben');
    expect(await desk.security.endAll('anna')).toBe(10);
    expect(await desk.security.endAll('anna')).toBe(0);
    expect(desk.log.of('end').map(({ userId, reason }) => `${userId} ${reason}`)).toEqual(
      Array(10).fill('anna revoked'),
    );
    expect((await desk.security.list()).map(({ userId }) => userId)).toEqual(['ben']);
  });

  it('ASVS 7.4.2 endAll and list take the number of a user as sign-ins do, which is kept as a text', async () => {
    await open();
    const { security } = desk;
    for (const user of ['7', '7', '70', '8']) await desk.signedIn(user);
    expect((await security.list(7)).map(({ userId }) => userId)).toEqual(['7', '7']);
    expect([await security.endAll(7), await security.endAll(8n)]).toEqual([2, 1]);
    expect((await security.list()).map(({ userId }) => userId)).toEqual(['70']);
  });

  it('ASVS 7.4.2 endAll ends a sign-in too whose record is still being stored', async () => {
    const store = new HeldStore();
    await open({ store });
    const browser = desk.browser();
    const held = store.hold('set', isRecord);
    const answered = browser.post('/login', { user: 'anna' }).then(() => undefined);
    await held.reached;
    const ended = desk.security.endAll('anna');
    held.release();
    expect(await ended).toBe(1);
    await answered;
    expect(await browser.user()).toBeNull();
    expect(await desk.security.list('anna')).toEqual([]);
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['revoked']);
  });

  it.each([
    ['a session', 0],
    ['a session that began when the clock was an hour ahead', 3600],
  ])(
    'ASVS 7.4.2 endAll after a restart ends %s that is found only later, and tells of it once',
    async (_, ahead) => {
      const store = new HeldStore();
      await open({ store });
      const [browser, ben] = [await desk.signedIn(), await desk.signedIn('ben')];
      const { clock } = desk;
      await desk.close();
      await desk.changeRecord((record) => (record.startedAt += ahead * 1000));
      clock.jump(1);
      // A store that cannot list what it holds.
      await open({ store: Object.assign(store, { all: undefined }), clock });
      await ben.moveTo(desk).user();
      expect(await desk.security.endAll('anna')).toBe(0);
      const later = await desk.signedIn();
      browser.moveTo(desk);
      expect(await Promise.all([browser.user(), browser.user()])).toEqual([null, null]);
      expect([await later.user(), await ben.user()]).toEqual(['anna', 'ben']);
      await clock.advance(2);
      expect(desk.log.of('end').map(({ userId, reason }) => [userId, reason])).toEqual([['anna', 'revoked']]);
    },
  );

  describe('ASVS 7.4.2 endAll holds after a further restart, for sessions that no process has known since', () => {
    const isRevocation = (key: string): boolean => key.startsWith('session-security-user-');
    const revocations = (): object[] => Object.entries(desk.stored()).filter(([key]) => isRevocation(key));

    /** Of a store that fails, what it refuses. */
    class WeakStore extends HeldStore {
      away: 'list' | 'revocation' | undefined;

      override set(...[key, data, callback]: Parameters<HeldStore['set']>): void {
        if (this.away === 'revocation' && isRevocation(key)) callback?.(new Error('away'));
        else super.set(key, data, callback);
      }

      override all(...[callback]: Parameters<HeldStore['all']>): void {
        if (this.away === 'list') callback(new Error('away'));
        else super.all(callback);
      }
    }

    /** A store that cannot list what it holds, unless told otherwise. */
    const begin = async (lists = false): Promise<WeakStore> => {
      const store = Object.assign(new WeakStore(), lists ? {} : { all: undefined });
      await open({ store });
      return store;
    };
    const restart = async (store: WeakStore): Promise<void> => {
      const { clock } = desk;
      await desk.close();
      clock.jump(1);
      await open({ store, clock });
    };
    /** One of each user's sessions is known to the process, and anna has another. */
    const unknown = async (store: WeakStore): Promise<Browser[]> => {
      const browsers = [await desk.signedIn(), await desk.signedIn('ben'), await desk.signedIn()];
      await restart(store);
      for (const browser of browsers.slice(1)) await browser.moveTo(desk).user();
      return browsers;
    };
    const usersOf = (browsers: Browser[]): Promise<unknown[]> =>
      Promise.all(browsers.map((browser) => browser.moveTo(desk).user()));

    it('and for nobody else, nor for who has signed in since', async () => {
      const store = await begin();
      const browsers = await unknown(store);
      expect(await desk.security.endAll('anna')).toBe(1);
      const later = await desk.signedIn();
      expect(JSON.stringify(revocations())).not.toContain('anna');
      await restart(store);
      expect(await usersOf([...browsers, later])).toEqual([null, 'ben', null, 'anna']);
      await desk.clock.advance(1);
      expect(desk.log.of('end').map(({ userId, reason }) => [userId, reason])).toEqual([['anna', 'revoked']]);
    });

    it('and endOthers, but for the session that is spared', async () => {
      const store = await begin();
      const browsers = await unknown(store);
      expect((await browsers[2]!.post('/account/end-others')).text).toBe('0');
      await restart(store);
      expect(await usersOf(browsers)).toEqual([null, 'ben', 'anna']);
    });

    it.each(['the store failed', 'no request had shown yet where sessions are kept'])(
      'although %s',
      async (why) => {
        const store = await begin();
        const browser = await desk.signedIn();
        const other = await desk.signedIn('ben');
        await restart(store);
        if (why === 'the store failed') await other.moveTo(desk).user();
        store.away = 'revocation';
        await desk.security.endAll('anna');
        expect(revocations()).toEqual([]);
        store.away = undefined;
        await other.moveTo(desk).user();
        await desk.clock.advance(2);
        expect(revocations()).toHaveLength(1);
        await restart(store);
        expect(await usersOf([browser, other])).toEqual([null, 'ben']);
      },
    );

    it('and nobody is let in while the store cannot say so', async () => {
      const store = await begin();
      const browsers = await unknown(store);
      await desk.security.endAll('anna');
      await restart(store);
      store.failOnce('get', isRevocation);
      expect(await usersOf([browsers[0]!])).toEqual([null]);
      expect(desk.stored()).toHaveProperty([browsers[0]!.sessionId]);
      expect(await usersOf(browsers)).toEqual([null, 'ben', null]);
    });

    it('and nobody when what the store has kept cannot be read', async () => {
      const store = await begin();
      const browsers = await unknown(store);
      await desk.security.endAll('anna');
      for (const [key, entry] of Object.entries(desk.stored()))
        if (isRevocation(key))
          await new Promise((done) => store.set(key, { cookie: entry.cookie } as never, done));
      await restart(store);
      expect(await usersOf(browsers)).toEqual([null, 'ben', null]);
    });

    it('and is kept nowhere by a store that lists what it holds', async () => {
      const store = await begin(true);
      const browsers = await unknown(store);
      expect(await desk.security.endAll('anna')).toBe(2);
      expect(revocations()).toEqual([]);
      await restart(store);
      expect(await usersOf(browsers)).toEqual([null, 'ben', null]);
    });

    it('and is kept by one that has not listed them yet', async () => {
      const store = await begin(true);
      const browser = await desk.signedIn();
      store.away = 'list';
      await restart(store);
      expect(await desk.security.endAll('anna')).toBe(0);
      await desk.signedIn('ben');
      await desk.clock.advance(2);
      expect(revocations()).toHaveLength(1);
      store.away = undefined;
      await restart(store);
      expect(await usersOf([browser])).toEqual([null]);
      await desk.clock.advance(1);
      expect(desk.log.of('end').map(({ userId }) => userId)).toEqual(['anna']);
    });
  });

  describe('after a restart, while the sessions are being recovered', () => {
    const restart = async (security: WatchedAppOptions['security']) => {
      const store = new HeldStore();
      await open({ store, security: { sessionStore: store, ...security } });
      const browser = await desk.signedIn();
      const { clock } = desk;
      await desk.close();
      clock.jump(1);
      const held = store.hold('all');
      await open({ store, clock, security: { sessionStore: store, ...security } });
      await held.reached;
      return { browser: browser.moveTo(desk), held };
    };

    it('ASVS 7.4.2 endAll ends them too', async () => {
      const { browser, held } = await restart({});
      const ended = desk.security.endAll('anna');
      held.release();
      expect(await ended).toBe(1);
      expect(await browser.user()).toBeNull();
      expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['revoked']);
    });

    it('ASVS 7.5.2 list shows them', async () => {
      const { held } = await restart({});
      const listed = desk.security.list('anna');
      held.release();
      expect(await listed).toHaveLength(1);
    });

    it('ASVS 7.1.2 maxSessionsPerUser counts them', async () => {
      const { browser, held } = await restart({ maxSessionsPerUser: 1, onTooManySessions: 'refuse' });
      const answer = desk
        .browser()
        .post('/login', { user: 'anna' })
        .then(({ status }) => status);
      await eventually('the sign-in', () => desk.log.of('start').length > 0, 10_000);
      held.release();
      expect(await answer).toBe(403);
      expect(await browser.user()).toBe('anna');
    });
  });

  it('ASVS 7.5.2 list: device, sign-in, last activity and what remains, never a session id', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'anna' }).set('User-Agent', FIREFOX);
    await desk.clock.advance(2);
    await desk.signedIn('anna');
    desk.clock.jump(1);
    const listed = await desk.security.list('anna');
    expect(listed).toEqual([
      {
        session: expect.stringMatching(/^[\w-]{22}$/),
        userId: 'anna',
        device: 'Firefox on Windows',
        startedAt: desk.clock.now() - 3_000,
        lastActivityAt: desk.clock.now() - 3_000,
        idleFor: 3,
        warnIn: 2,
        expireIn: 7,
        limits: { warnAfter: 5, expireAfter: 10, maxLifetime: null },
      },
      expect.objectContaining({ idleFor: 1 }),
    ]);
    const { sessionId } = browser;
    expect(JSON.stringify(listed)).not.toContain(sessionId);
    desk.clock.jump(9.5);
    expect(await desk.security.list('anna')).toEqual([]);
  });

  it('ASVS 7.5.2 endOne ends the one of the list that its user names, and no other', async () => {
    await open();
    const { security } = desk;
    const lost = await desk.signedIn();
    const { session } = (await security.list('anna'))[0]!;
    const [kept, ben] = [await desk.signedIn(), await desk.signedIn('ben')];
    expect(await security.endOne('ben', session)).toBe(false);
    expect(await security.endOne('anna', lost.sessionId)).toBe(false);
    expect(await lost.user()).toBe('anna');
    expect(await security.endOne('anna', session)).toBe(true);
    expect(await security.endOne('anna', session)).toBe(false);
    expect([await lost.user(), await kept.user(), await ben.user()]).toEqual([null, 'anna', 'ben']);
    expect(desk.log.of('end')).toEqual([
      expect.objectContaining({ session, userId: 'anna', reason: 'revoked' }),
    ]);
    expect(await security.list('anna')).toHaveLength(1);
  });

  it('ASVS 7.5.2 endOne ends also one that is just going on under another id, takes the number of a user, and a reason', async () => {
    const store = new HeldStore();
    await open({ store });
    const browser = await desk.signedIn('7');
    const { session } = (await desk.security.list(7))[0]!;
    const removal = store.hold('destroy');
    const rotated = browser.post('/rotate').then(({ status }) => status);
    await removal.reached;
    const ended = desk.security.endOne(7, session, 'replaced');
    removal.release();
    await rotated;
    expect(await ended).toBe(true);
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: '7', reason: 'replaced' })]);
  });

  it('ASVS 7.5.2 list shows the sessions of nobody else to whom is not signed in', async () => {
    await open();
    await desk.signedIn();
    const { id } = {} as { id: string };
    expect(await desk.security.list(id)).toEqual([]);
    expect(await desk.security.list()).toHaveLength(1);
  });

  it('NIST reauthenticated resets both clocks, and the page keeps its owner', async () => {
    await open({ security: { maxLifetime: 20 } });
    const browser = await desk.signedIn();
    const { owner } = await browser.state();
    desk.clock.jump(8);
    await browser.user();
    desk.clock.jump(8);
    expect((await browser.state()).lifetimeIn).toBe(4);
    expect((await browser.post('/account/reauthenticated')).text).toBe('true');
    expect(await browser.state()).toMatchObject({ state: 'active', lifetimeIn: 20, idleFor: 0, owner });
    expect((await desk.browser().post('/account/reauthenticated')).text).toBe('false');
    await desk.clock.advance(9);
    expect(await browser.user()).toBe('anna');
  });

  it('reauthenticated says so when the session has ended while it was written', async () => {
    const store = new HeldStore();
    await open({ store });
    const browser = await desk.signedIn();
    const write = store.hold('set', isRecord);
    const answer = browser
      .copy()
      .post('/account/reauthenticated')
      .then(({ text }) => text);
    await write.reached;
    const end = desk.security.endAll('anna');
    write.release();
    expect(await answer).toBe('false');
    await end;
  });

  it('ended emits once, with the reason, and completes', async () => {
    await open();
    const [idle, out] = [await desk.signedIn('anna'), await desk.signedIn('ben')];
    await idle.get('/account/wait');
    await idle.get('/account/wait');
    await out.get('/account/wait');
    await out.post('/logout');
    await desk.browser().get('/account/wait');
    await desk.clock.advance(12);
    expect(await Promise.all(endings)).toEqual([['idle'], ['idle'], ['logout'], [null]]);
  });

  describe('ASVS 7.1.2 maxSessionsPerUser', () => {
    const signInAgain = async (): Promise<Browser[]> => {
      const browsers = [];
      for (let count = 0; count < 3; count++) {
        browsers.push(await desk.signedIn());
        desk.clock.jump(1);
      }
      return browsers;
    };

    it("ASVS 7.1.2 'end-oldest' ends the oldest with reason replaced", async () => {
      await open({ security: { maxSessionsPerUser: 2 } });
      const browsers = await signInAgain();
      expect(await Promise.all(browsers.map((browser) => browser.user()))).toEqual([null, 'anna', 'anna']);
      expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['replaced']);
      expect((await browsers[0]!.get('/login')).body.notice).toBe('replaced');
    });

    it("ASVS 7.1.2 'refuse' turns the new sign-in away, and leaves the others", async () => {
      await open({ security: { maxSessionsPerUser: 2, onTooManySessions: 'refuse' } });
      const browsers = [await desk.signedIn(), await desk.signedIn()];
      const late = desk.browser();
      const answer = await late.post('/login', { user: 'anna' }).expect(403);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.body.code).toBe('too_many_sessions');
      expect(await late.user()).toBeNull();
      expect(await Promise.all(browsers.map((browser) => browser.user()))).toEqual(['anna', 'anna']);
      await browsers[0]!.post('/logout');
      await late.post('/login', { user: 'anna' }).expect(201);
      expect(await late.user()).toBe('anna');
    });

    it("ASVS 7.1.2 'refuse' has the sign-in begin, and ends it as revoked", async () => {
      await open({ security: { maxSessionsPerUser: 1, onTooManySessions: 'refuse' } });
      await desk.signedIn();
      await desk.browser().post('/login', {}).expect(403);
      const [, started, ended] = desk.log.events;
      expect([started, ended]).toMatchObject([{ kind: 'start' }, { kind: 'end', reason: 'revoked' }]);
      expect(started!.session).toBe(ended!.session);
      expect(desk.log.events).toHaveLength(3);
    });

    it("ASVS 7.1.2 'refuse' lets nobody in whose handler answers by itself, and logs no error", async () => {
      await open({ security: { maxSessionsPerUser: 1, onTooManySessions: 'refuse' } });
      await desk.signedIn();
      const late = desk.browser();
      await late.post('/account/answered').expect(201);
      expect(await late.user()).toBeNull();
      expect(desk.messages.lines.filter(({ level }) => level === 'error')).toEqual([]);
    });

    it("ASVS 7.1.2 'refuse' lets no more in when they come at once", async () => {
      await open({ security: { maxSessionsPerUser: 2, onTooManySessions: 'refuse' } });
      const browsers = Array.from({ length: 5 }, () => desk.browser());
      const answers = await Promise.all(browsers.map((browser) => browser.post('/login', { user: 'anna' })));
      expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(2);
      expect(await desk.security.list('anna')).toHaveLength(
        answers.filter(({ status }) => status === 201).length,
      );
    });

    /** One signs in first, and is stored after the other. */
    const overtakenSignIn = async (store: HeldStore) => {
      const [slow, quick] = [desk.browser(), desk.browser()];
      const held = store.hold('set', isRecord);
      const slowAnswer = slow.post('/login', { user: 'anna' }).then(({ status }) => status);
      await held.reached;
      desk.clock.jump(1);
      await quick.post('/login', { user: 'anna' }).expect(201);
      held.release();
      return { slow, quick, slowStatus: await slowAnswer };
    };

    it("ASVS 7.1.2 'refuse' turns away who began first and was stored last", async () => {
      const store = new HeldStore();
      await open({ store, security: { maxSessionsPerUser: 1, onTooManySessions: 'refuse' } });
      const { slow, quick, slowStatus } = await overtakenSignIn(store);
      expect(slowStatus).toBe(403);
      expect([await slow.user(), await quick.user()]).toEqual([null, 'anna']);
      expect(await desk.security.list('anna')).toHaveLength(1);
    });

    it("ASVS 7.1.2 'end-oldest' keeps who began last, in whichever order they are stored", async () => {
      const store = new HeldStore();
      await open({ store, security: { maxSessionsPerUser: 1 } });
      const { slow, quick } = await overtakenSignIn(store);
      expect([await slow.user(), await quick.user()]).toEqual([null, 'anna']);
    });

    it('ASVS 7.1.2 expired sessions do not count', async () => {
      await open({ security: { maxSessionsPerUser: 1, onTooManySessions: 'refuse' } });
      await desk.signedIn();
      desk.clock.jump(10);
      expect(await (await desk.signedIn()).user()).toBe('anna');
    });
  });

  describe('a preset', () => {
    it('NIST holds every user to what it requires, exempt ones too', async () => {
      await open({
        security: { preset: 'pci-dss', warnAfter: 700, expireAfter: 800, limits: () => 'never' },
      });
      const browser = await desk.signedIn();
      expect((await browser.state()).limits).toMatchObject({ warnAfter: 828, expireAfter: 888 });
      expect(desk.security.describePolicy().preset).toBe('pci-dss');
    });
  });

  describe('ASVS 14.3.1 Clear-Site-Data', () => {
    const secure: WatchedAppOptions['configure'] = (app, useSession) => {
      trustProxies(app);
      useSession();
    };
    const security = { onExpired: 'reject', clearSiteData: ['storage', 'cache'] } as const;

    it('ASVS 14.3.1 is sent at the end over HTTPS, if the application wants it', async () => {
      await open({
        configure: secure,
        security: { ...security, clearSiteData: [...security.clearSiteData] },
      });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const overHttps = await browser.get('/whoami').set('X-Forwarded-Proto', 'https').expect(401);
      expect(overHttps.headers['clear-site-data']).toBe('"storage", "cache"');
      const other = await desk.signedIn();
      desk.clock.jump(10);
      const overHttp = await other.get('/whoami').expect(401);
      expect(overHttp.headers['clear-site-data']).toBeUndefined();
      const signOut = await (
        await desk.signedIn()
      )
        .post('/session-security/end')
        .set('X-Forwarded-Proto', 'https');
      expect(signOut.headers['clear-site-data']).toBe('"storage", "cache"');
    });

    it('ASVS 14.3.1 is not sent otherwise', async () => {
      await open({ configure: secure, security: { onExpired: 'reject' } });
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      const answer = await browser.get('/whoami').set('X-Forwarded-Proto', 'https').expect(401);
      expect(answer.headers['clear-site-data']).toBeUndefined();
    });
  });

  describe('ASVS 14.3.2 Cache-Control', () => {
    it('ASVS 14.3.2 pages of watched sessions are not stored; others, and handlers with their own header, are left alone', async () => {
      await open();
      const browser = await desk.signedIn();
      expect((await browser.get('/whoami')).headers['cache-control']).toBe('no-store');
      expect((await desk.browser().get('/whoami')).headers['cache-control']).toBeUndefined();
      expect((await browser.get('/session-security/client.js')).headers['cache-control']).toBe(
        'public, no-cache',
      );
    });
  });

  it('ASVS 7.1.1 the policy is described without a server too, for a file', async () => {
    await open();
    @Module({ imports: [SessionSecurityModule.forRoot({ preset: 'pci-dss' })] })
    class PolicyModule {}
    const context = await NestFactory.createApplicationContext(PolicyModule, { logger: ['warn', 'error'] });
    const text = context.get(SessionSecurityService).describePolicy().toMarkdown();
    await context.close();
    expect(text).toContain('| Preset | PCI DSS 4.0, 8.2.8 |');
  });

  describe('ASVS 16.2 the audit log', () => {
    const audited = (): object[] =>
      desk.messages.matching(/"event":"session_/).map((line) => {
        const { event, level } = JSON.parse(line);
        return { event, level };
      });

    it('ASVS 16.2.1 speaks the OWASP vocabulary, in UTC, with hashes only', async () => {
      await open({ security: { audit: true } });
      const browser = await desk.signedIn();
      await desk.clock.advance(6);
      await browser.user();
      await desk.clock.advance(12);
      await browser.state();
      await browser.user();
      await browser.user();
      await (await desk.signedIn('ben')).post('/logout');
      expect(audited()).toEqual([
        { event: 'session_created:anna', level: 'INFO' },
        { event: 'session_renewed:anna', level: 'INFO' },
        { event: 'session_expired:anna,idle', level: 'INFO' },
        { event: 'session_use_after_expire:anna,idle', level: 'CRITICAL' },
        { event: 'session_created:ben', level: 'INFO' },
        { event: 'session_expired:ben,logout', level: 'INFO' },
      ]);
      const lines = desk.messages.matching(/"event":"session_/).map((line) => JSON.parse(line));
      for (const { datetime, session } of lines) {
        expect(datetime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(session).toMatch(/^[\w-]{22}$/);
      }
    });

    it('ASVS 16.2 asking about its own end is no use of an ended session', async () => {
      await open({ security: { audit: true } });
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      await browser.ping({ idleFor: 0 });
      await browser.state();
      expect(audited()).toHaveLength(2);
    });

    const uses = (): object[] => audited().filter((line) => 'level' in line && line.level === 'CRITICAL');

    it('ASVS 16.2 the way from an ended session to the next sign-in is no use of it; what else is asked for is', async () => {
      await open({ security: { audit: true, loginUrl: '/login' } });
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      const thief = browser.copy();
      await browser.copy().ping({ idleFor: 12 });
      await browser.copy().get('/session-security/client.js');
      await browser.copy().get('/login?returnTo=%2Fwhoami').expect(200);
      await browser.post('/login', {}).expect(201);
      expect(uses()).toEqual([]);
      await thief.user();
      expect(uses()).toEqual([{ event: 'session_use_after_expire:anna,idle', level: 'CRITICAL' }]);
    });

    it('ASVS 16.2 neither is its address without the slash of the option, nor the handler that the form posts to', async () => {
      @Controller()
      class Doors {
        @Get('doors')
        page(): object {
          return {};
        }

        @AllowExpired()
        @Post('open')
        open(): object {
          return {};
        }
      }
      await open({ controllers: [Doors], security: { audit: true, loginUrl: '/doors/' } });
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      await browser.copy().get('/doors').expect(200);
      await browser.copy().post('/open').expect(201);
      expect(uses()).toEqual([]);
    });

    it('ASVS 16.2 a sign-in page that is no route of Nest is never logged; a route is, after it too', async () => {
      await open({
        configure: (app, useSession) => {
          useSession();
          serveRaw(app, '/outside', ({ session }) => ({ user: session?.user?.id ?? null }));
        },
        security: { audit: true, loginUrl: '/outside' },
      });
      const browser = await desk.signedIn();
      await desk.clock.advance(12);
      // No guard stands there, so nothing hears of it; the session is over there too.
      expect((await browser.copy().get('/outside').expect(200)).body).toEqual({ user: null });
      expect(uses()).toEqual([]);
      await browser.user();
      expect(uses()).toHaveLength(1);
    });

    it.each([
      [{}, 0],
      [{ preset: 'hipaa' }, 1],
      [{ preset: 'hipaa', audit: false }, 0],
    ] as const)('ASVS 16.2 with %j it writes %i lines', async (security, lines) => {
      await open({ security });
      await desk.signedIn();
      expect(audited()).toHaveLength(lines);
    });
  });

  it('V1 every event and the counters are on diagnostics channels', async () => {
    const seen: [string, { kind?: string }][] = [];
    const names = ['event', 'touch', 'flush', 'deadlines', 'useAfterEnd'] as const;
    const listeners = names.map((name) => {
      const listener = (message: unknown): void => void seen.push([name, message as object]);
      diagnostics[name].subscribe(listener);
      return () => diagnostics[name].unsubscribe(listener);
    });
    await open({ security: { flushInterval: 1 } });
    const browser = await desk.signedIn();
    await desk.clock.advance(1);
    await browser.user();
    await eventually('the activity written', () => seen.some(([name]) => name === 'flush'), 10_000);
    await desk.clock.advance(12);
    await browser.user();
    for (const stop of listeners) stop();
    expect(channel('nestjs-session-security:event')).toBe(diagnostics.event);
    expect(seen.map(([name, message]) => (name === 'event' ? message.kind : name))).toEqual([
      'start',
      'touch',
      'flush',
      'warn',
      'deadlines',
      'expire',
      'end',
      'deadlines',
      'useAfterEnd',
    ]);
    const messages = Object.fromEntries(seen);
    expect(messages).toMatchObject({
      touch: { moved: true, renewed: false },
      flush: { updates: 1, gone: 0, durationMs: 0 },
      deadlines: { due: 1, watched: 0 },
      useAfterEnd: { userId: 'anna', reason: 'idle' },
    });
  });
});
