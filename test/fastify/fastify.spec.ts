import 'reflect-metadata';
import cookie from '@fastify/cookie';
import session, { type FastifySessionOptions } from '@fastify/session';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SystemClock } from '../../lib/activity/clock.js';
import type { AnySessionEvent } from '../../lib/events/session-event.js';
import {
  SessionSecurityEvents,
  SessionSecurityModule,
  type SessionSecurityOptionsInput,
  SessionSecurityService,
} from '../../lib/index.js';
import { SECRET } from '../support/adapters.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { Browser, Messages, WatchedApp } from '../support/watched-app.js';

declare module 'fastify' {
  interface Session {
    user?: { id: string };
    basket?: number;
  }
}

const whoever = ({ session }: FastifyRequest): { user: string | null } => ({
  user: session.user?.id ?? null,
});

@Controller()
class DeskController {
  @Post('login')
  async login(@Req() request: FastifyRequest): Promise<void> {
    await request.session.regenerate();
    request.session.user = { id: 'anna' };
  }

  @Post('rotate')
  async rotate(@Req() { session }: FastifyRequest): Promise<void> {
    await session.regenerate(Object.keys(session));
  }

  @Post('logout')
  async logout(@Req() { session }: FastifyRequest): Promise<void> {
    await session.destroy();
  }

  @Get('raw')
  raw(@Res() reply: FastifyReply): void {
    reply.raw.end('{}');
  }

  @Get('whoami')
  whoami(@Req() request: FastifyRequest): { user: string | null } {
    return whoever(request);
  }
}

/** Put together as a `main.ts` does it, in its order. */
class Desk {
  readonly events: AnySessionEvent[] = [];

  private constructor(
    readonly app: NestFastifyApplication,
    readonly clock: VirtualClock,
    readonly messages: Messages,
  ) {
    app.get(SessionSecurityEvents).all$.subscribe((event) => this.events.push(event));
  }

  static async start(
    prepare: (app: NestFastifyApplication) => Promise<unknown>,
    security: SessionSecurityOptionsInput = {},
    clock = new VirtualClock(),
  ): Promise<Desk> {
    const watching = SessionSecurityModule.forRoot({ warnAfter: 5, expireAfter: 10, ...security });
    const providers = [...watching.providers!, { provide: SystemClock, useValue: clock }];

    @Module({ imports: [{ ...watching, providers }], controllers: [DeskController] })
    class AppModule {}

    const messages = new Messages();
    const adapter = new FastifyAdapter();
    const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
      logger: messages,
      abortOnError: false,
    });
    await prepare(app);
    await app.listen(0, '127.0.0.1');
    return new Desk(app, clock, messages);
  }

  async signedIn(): Promise<Browser> {
    const browser = new Browser(this.app);
    await browser.post('/login').expect(201);
    return browser;
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}

describe('Fastify', () => {
  let desk: Desk;
  afterEach(() => desk.app.close());

  const sessions =
    (options: Partial<FastifySessionOptions> = {}) =>
    async (app: NestFastifyApplication): Promise<void> => {
      await app.register(cookie);
      await app.register(session, {
        secret: SECRET,
        cookieName: 'connect.sid',
        cookie: { secure: false },
        ...options,
      });
    };

  describe('with nothing but a secret and what the plugin does by default', () => {
    it('S1 a session ends, is told once, and cannot be revived by what was in flight', async () => {
      let arrive = (): void => undefined;
      let leave = (): void => undefined;
      const arrived = new Promise<void>((resolve) => (arrive = resolve));
      const left = new Promise<void>((resolve) => (leave = resolve));
      desk = await Desk.start(async (app) => {
        await sessions()(app);
        app
          .getHttpAdapter()
          .getInstance()
          .get('/slow', async (request: FastifyRequest) => {
            arrive();
            await left;
            request.session.basket = 1;
            return {};
          });
      });
      const browser = await desk.signedIn();
      const slow = browser
        .copy()
        .get('/slow')
        .then(({ status }) => status);
      await arrived;
      await desk.clock.advance(11);
      leave();
      expect(await slow).toBeLessThan(500);
      expect(await browser.user()).toBeNull();
      expect(await browser.ping({ idleFor: 0 }).expect(200)).toMatchObject({ body: { state: 'expired' } });
      expect(desk.kinds()).toEqual(['start', 'warn', 'expire', 'end']);
    });

    it('a sign-out is final, and the next sign-in is another session', async () => {
      desk = await Desk.start(sessions());
      const browser = await desk.signedIn();
      const thief = browser.copy();
      await browser.post('/logout').expect(201);
      expect([await browser.user(), await thief.user()]).toEqual([null, null]);
      await browser.post('/login').expect(201);
      expect([await browser.user(), await thief.user()]).toEqual(['anna', null]);
      expect(desk.kinds()).toEqual(['start', 'end', 'start']);
    });
  });

  it('C6 an id that is changed with all fields keeps its clocks, again and again', async () => {
    desk = await Desk.start(sessions({ rolling: false }));
    const browser = await desk.signedIn();
    const stolen = browser.copy();
    await desk.clock.advance(4);
    await browser.post('/rotate').set('X-Session-Passive', '1').expect(201);
    expect((await browser.state()).idleFor).toBe(4);
    await browser.post('/rotate').set('X-Session-Passive', '1').expect(201);
    expect((await browser.state()).idleFor).toBe(4);
    expect([await browser.user(), await stolen.user()]).toEqual(['anna', null]);
    expect(desk.kinds()).toEqual(['start']);
  });

  it('P5 the very first request of a process finds the end on a route of a plugin, registered before and after', async () => {
    const store = new session.MemoryStore();
    const clock = new VirtualClock();
    const plugins = (options: Partial<FastifySessionOptions>) => async (app: NestFastifyApplication) => {
      const board = (scope: FastifyInstance, _: unknown, done: () => void): void => {
        scope.get('/board', (request, reply) => reply.send(whoever(request)));
        done();
      };
      await app.register(board, { prefix: '/before' });
      await sessions(options)(app);
      await app.register(board, { prefix: '/after' });
    };
    for (const path of ['/before/board', '/after/board']) {
      desk = await Desk.start(plugins({ store }), {}, clock);
      const browser = await desk.signedIn();
      expect((await browser.get(path).expect(200)).body).toEqual({ user: 'anna' });
      await desk.app.close();
      // A process that takes a record over allows for what another may not have written any more.
      clock.jump(23);
      desk = await Desk.start(plugins({ store }), {}, clock);
      const later = browser.copy().moveTo(desk);
      expect((await later.get(path).expect(200)).body).toEqual({ user: null });
      expect(desk.kinds()).toEqual(['expire', 'end']);
      if (path.startsWith('/before')) await desk.app.close();
    }
  });

  it('S18 a page of a plugin below a prefix names its owner, and is sent the way to the script', async () => {
    desk = await Desk.start(async (app) => {
      app.setGlobalPrefix('api');
      await sessions()(app);
      const security = app.get(SessionSecurityService);
      await app.register(
        (scope: FastifyInstance, _: unknown, done: () => void) => {
          scope.get('/page', (request, reply) => reply.send({ tag: security.clientTag(request) }));
          done();
        },
        { prefix: '/clinic' },
      );
    });
    const browser = new Browser(desk.app);
    await browser.post('/api/login').expect(201);
    const { owner } = (await browser.get('/api/session-security/ping').expect(200)).body;
    const { tag } = (await browser.get('/clinic/page').expect(200)).body as { tag: string };
    expect(tag).toContain(`data-owner="${owner}"`);
    await browser.get(/src="([^"]+)"/.exec(tag)![1]!).expect(200);
    await desk.clock.advance(12);
    expect(desk.events.filter(({ kind }) => kind === 'expire')).toEqual([
      expect.objectContaining({ userId: 'anna', reason: 'idle' }),
    ]);
  });

  it('C9 a store that fails at the very first request makes nobody of everybody, and no error', async () => {
    const store = new session.MemoryStore();
    desk = await Desk.start(sessions({ store }));
    const browser = await desk.signedIn();
    await desk.app.close();
    const sound = store.get.bind(store);
    store.get = (_, callback) => callback(new Error('away'));
    desk = await Desk.start(sessions({ store }));
    const later = browser.moveTo(desk);
    expect(await later.user()).toBeNull();
    await desk.app.close();
    store.get = sound;
    desk = await Desk.start(sessions({ store }));
    expect(await later.moveTo(desk).user()).toBe('anna');
  });

  it('S19 a cookie with the prefix of express-session is understood too', async () => {
    desk = await Desk.start(sessions({ cookiePrefix: 's:' }), { onExpired: 'reject' });
    const browser = await desk.signedIn();
    await desk.clock.advance(11);
    expect((await browser.get('/whoami').expect(401)).body).toMatchObject({ reason: 'idle' });
    expect(browser.cookies.has('connect.sid')).toBe(false);
  });

  describe('P7 mistakes are said at the start, with what to add and where', () => {
    const advice = /No session plugin.*await app\.register\(session,.*main\.ts.*not within another plugin/;

    it('P7 without the plugin', async () => {
      desk = await Desk.start(() => Promise.resolve());
      expect(desk.messages.matching(advice)).toHaveLength(1);
      const { status } = await new Browser(desk.app).get('/session-security/ping');
      expect([status, desk.messages.matching(advice).length]).toEqual([200, 1]);
    });

    it('P7 with the plugin within another', async () => {
      desk = await Desk.start((app) =>
        app.register(async (scope: FastifyInstance) => {
          await scope.register(cookie);
          await scope.register(session, { secret: SECRET });
        }),
      );
      expect(desk.messages.matching(advice)).toHaveLength(1);
    });

    it('C7 with sessions that live in their cookies', async () => {
      desk = await Desk.start((app) => {
        const fastify = app.getHttpAdapter().getInstance();
        fastify.decorateRequest('session', null as never);
        fastify.addHook('onRequest', (request, _, done) => {
          request.session = { user: { id: 'anna' } } as never;
          done();
        });
        return Promise.resolve();
      });
      await new Browser(desk.app).get('/whoami').expect(500);
      expect(
        desk.messages.matching(/@fastify\/secure-session.*Use @fastify\/session with a store/),
      ).not.toEqual([]);
    });
  });

  it('ASVS 14.3.2 a response that a handler ends itself is not stored either, and says why the last session ended', async () => {
    desk = await Desk.start(sessions());
    const browser = await desk.signedIn();
    expect((await browser.get('/raw').expect(200)).headers['cache-control']).toBe('no-store');
    await desk.clock.advance(11);
    await browser.get('/raw').expect(200);
    expect(browser.cookies.get('session-security-ended')).toMatch(/^idle\./);
  });
});

describe('Fastify in a testing module of a Nest that does not say when it is given its adapter, as 11.0', () => {
  const told = Object.getOwnPropertyDescriptor(HttpAdapterHost.prototype, 'init$');
  let desk: WatchedApp;
  beforeEach(async () => {
    Object.defineProperty(HttpAdapterHost.prototype, 'init$', { value: undefined, configurable: true });
    desk = await WatchedApp.start();
  });
  afterEach(async () => {
    if (told) Object.defineProperty(HttpAdapterHost.prototype, 'init$', told);
    await desk.close();
  });

  it("S12 the module's hooks come before those of the plugin all the same, so that an end is told again and again", async () => {
    const browser = await desk.signedIn();
    await desk.clock.advance(11);
    for (let time = 0; time < 2; time += 1)
      expect(await browser.state()).toMatchObject({ state: 'expired', reason: 'idle' });
  });
});
