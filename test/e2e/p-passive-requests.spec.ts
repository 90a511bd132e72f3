import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Post,
  Req,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import request from 'supertest';
import {
  Passive,
  PASSIVE_HEADER,
  SessionSecurityModule,
  type SessionSecurityRequest,
  SessionSecurityService,
} from '../../lib/index.js';
import { onExpress, serveRaw, trustProxies } from '../support/adapters.js';
import { eventually } from '../support/real-time.js';
import { type Browser, Messages, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

@Passive()
@Controller('board')
class BoardController {
  @Get('numbers')
  numbers(): string {
    return 'passive by its class';
  }

  @Passive(false)
  @Get('open')
  open(): string {
    return 'activity, by exception';
  }
}

@Controller('visit')
class VisitController {
  constructor(private readonly security: SessionSecurityService) {}

  /** Signs in for this request alone. */
  @Post()
  async visit(@Req() call: SessionSecurityRequest & { session: VisitSession }): Promise<void> {
    call.session.user = { id: 'anna' };
    await this.security.status(call);
    await this.security.touch(call);
    await new Promise((resolve) => call.session.destroy(resolve));
  }
}

interface VisitSession {
  user?: { id: string };
  destroy(callback: (error?: unknown) => void): unknown;
}

function behindProxy(app: INestApplication, useSession: () => void): void {
  trustProxies(app);
  useSession();
}

@Controller('lists')
class ListsController {
  @Get(':list/changes')
  changes(): string {
    return 'a list changes';
  }
}

describe('P passive requests and configuration', () => {
  let desk: WatchedApp;
  const open = async (options?: WatchedAppOptions): Promise<void> => {
    desk = await WatchedApp.start({ controllers: [BoardController, ListsController], ...options });
  };
  afterEach(() => desk.close());

  /** Whether a request that comes 4 s after the sign-in counts as activity. */
  const counts = async (send: (browser: Browser) => PromiseLike<unknown>): Promise<boolean> => {
    const browser = await desk.signedIn();
    desk.clock.jump(4);
    await send(browser);
    return (await browser.state()).idleFor === 0;
  };

  describe('P1', () => {
    it.each([
      ['/whoami', true],
      ['/poll', false],
      ['/board/numbers', false],
      ['/board/open', true],
    ])(
      'P1 @Passive() on handler or class, @Passive(false) as exception: %s counts: %s',
      async (path, expected) => {
        await open();
        expect(await counts((browser) => browser.get(path).expect(200))).toBe(expected);
      },
    );

    it.each([
      ['a path', ['/lists/red/changes']],
      ['a path with a parameter', ['/lists/:list/changes']],
      ['a wildcard', ['/lists/*rest']],
      ['a regular expression', [/changes$/]],
      ['a regular expression that remembers', [/changes$/g]],
      ['a predicate', [({ url }: { url: string }) => url.startsWith('/lists')]],
    ])('P1 the passive option takes %s', async (_, passive) => {
      await open({ security: { passive } });
      expect(await counts((browser) => browser.get('/lists/red/changes').expect(200))).toBe(false);
      expect(await counts((browser) => browser.get('/lists/red/changes').expect(200))).toBe(false);
      expect(await counts((browser) => browser.get('/whoami').expect(200))).toBe(true);
    });

    it('P1 does not depend on the order of guards: one of the application that comes first changes nothing', async () => {
      @Injectable()
      class Admit implements CanActivate {
        canActivate(): boolean {
          return true;
        }
      }
      await open({
        configure: (app, useSession) => {
          useSession();
          app.useGlobalGuards(new Admit());
        },
      });
      expect(await counts((browser) => browser.get('/poll').expect(200))).toBe(false);
      expect(await counts((browser) => browser.get('/whoami').expect(200))).toBe(true);
    });
  });

  describe('P2 ping and passive routes still match', () => {
    const passive = ['/lists/:list/changes'];

    it.each([
      ['with a query string', '/lists/red/changes?since=3'],
      ['with a slash at the end', '/lists/red/changes/'],
      ['encoded', '/lists/r%65d/%63hanges'],
      ['encoded, with what is no text', '/lists/%E0%A4%A/changes'],
      ['with a percent sign in it', '/lists/100%25/changes'],
    ])('P2 %s', async (_, path) => {
      await open({ security: { passive } });
      const unbroken = ({ status }: { status: number }): void => expect(status).toBeLessThan(500);
      expect(await counts((browser) => browser.get(path).expect(unbroken))).toBe(false);
    });

    it('P2 behind a global prefix and versions', async () => {
      await open({
        security: { passive },
        configure: (app, useSession) => {
          useSession();
          app.setGlobalPrefix('api');
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      });
      const browser = desk.browser();
      await browser.post('/api/v1/login', { user: 'anna' }).expect(201);
      desk.clock.jump(4);
      await browser.get('/api/v1/board/numbers').expect(200);
      expect((await browser.get('/api/session-security/ping').expect(200)).body.idleFor).toBe(4);
      expect(
        (await browser.post('/api/session-security/ping?x=1', { idleFor: 1 }).expect(200)).body.idleFor,
      ).toBe(1);
      const { body } = await browser.get('/api/v1/tag').expect(200);
      expect(body.tag).toContain('src="/api/session-security/client.js');
    });

    it('P2 the pattern may be written with or without the prefix', async () => {
      for (const written of ['/lists/:list/changes', '/api/lists/:list/changes']) {
        await open({
          security: { passive: [written] },
          configure: (app, useSession) => {
            useSession();
            app.setGlobalPrefix('api');
          },
        });
        const browser = desk.browser();
        await browser.post('/api/login', { user: 'anna' }).expect(201);
        desk.clock.jump(4);
        await browser.get('/api/lists/red/changes').expect(200);
        expect((await browser.get('/api/session-security/ping')).body.idleFor).toBe(4);
        if (written.startsWith('/lists')) await desk.close();
      }
    });

    onExpress('P2 in an application that is mounted in another', async () => {
      await open({ security: { passive } });
      const outer = express().use('/clinic', desk.app.getHttpAdapter().getInstance());
      const jar: string[] = [];
      const call = async (method: 'get' | 'post', path: string, body?: object) => {
        const answer = await request(outer)[method](path).set('Cookie', jar).send(body);
        const cookies = (answer.headers['set-cookie'] ?? []) as unknown as string[];
        jar.push(...cookies.map((line) => line.split(';', 1)[0]!));
        return answer;
      };
      await call('post', '/clinic/login', { user: 'anna' });
      desk.clock.jump(4);
      expect((await call('get', '/clinic/lists/red/changes')).status).toBe(200);
      expect((await call('get', '/clinic/session-security/ping')).body.idleFor).toBe(4);
      expect((await call('get', '/clinic/tag')).body.tag).toContain(
        'src="/clinic/session-security/client.js',
      );
    });
  });

  describe('P3 what browsers and pages send on their own', () => {
    it.each([
      ['prefetch', { 'Sec-Purpose': 'prefetch' }],
      ['prerender', { 'Sec-Purpose': 'prefetch;prerender' }],
      ['the older Purpose', { Purpose: 'prefetch' }],
      ['the oldest X-Moz', { 'X-Moz': 'prefetch' }],
      ['a call that the page marks itself', { [PASSIVE_HEADER]: '1' }],
    ])('P3 %s is passive', async (_, headers) => {
      await open();
      expect(await counts((browser) => browser.get('/whoami').set(headers).expect(200))).toBe(false);
    });

    it.each([
      [
        'an image',
        { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      ],
      ['a fetch', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
      [
        'a frame',
        { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
      ],
      ['a fetch of an older browser', { Origin: 'https://evil.example' }],
      ['a sandboxed frame of an older browser', { Origin: 'null' }],
    ])('S5 %s of another site is passive, also where @Passive(false) stands', async (_, headers) => {
      await open();
      for (const path of ['/whoami', '/board/open'])
        expect(await counts((browser) => browser.get(path).set(headers).expect(200))).toBe(false);
    });

    it.each([
      ['a link on another site', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document' }],
      ['a typed address', { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Dest': 'document' }],
      ['a frame of this site', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'iframe' }],
      ['another host of this site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://app.clinic.example' }],
    ])('S5 %s counts', async (_, headers) => {
      await open();
      const call = { 'Sec-Fetch-Mode': 'navigate', ...headers };
      expect(await counts((browser) => browser.get('/whoami').set(call).expect(200))).toBe(true);
    });

    it('P3 HEAD, OPTIONS and the client script are passive', async () => {
      await open();
      expect(await counts((browser) => browser.head('/whoami').expect(200))).toBe(false);
      expect(await counts((browser) => browser.options('/whoami'))).toBe(false);
      expect(await counts((browser) => browser.get('/session-security/client.js').expect(200))).toBe(false);
    });

    it('P3 the header cannot make a passive request count', async () => {
      await open();
      const value = { [PASSIVE_HEADER]: 'false' };
      expect(await counts((browser) => browser.get('/poll').set(value).expect(200))).toBe(false);
    });
  });

  it('P4 a poller that asks every second keeps nothing alive, and is told in time', async () => {
    await open({ security: { onExpired: 'reject' } });
    const browser = await desk.signedIn();
    for (let second = 1; second < 10; second++) {
      await desk.clock.advance(1);
      await browser.get('/poll').expect(200);
    }
    await desk.clock.advance(1);
    const { body } = await browser.get('/poll').expect(401);
    expect(body).toMatchObject({ code: 'session_expired', reason: 'idle' });
  });

  describe('P5 requests that reach no controller', () => {
    const raw: NonNullable<WatchedAppOptions['configure']> = (app, useSession) => {
      useSession();
      serveRaw(app, '/raw', ({ session }) => ({ user: session?.user?.id ?? null }));
    };

    it('P5 are nobody after the end, also before the deadline is worked off', async () => {
      await open({ configure: raw });
      const browser = await desk.signedIn();
      expect((await browser.get('/raw').expect(200)).body.user).toBe('anna');
      desk.clock.jump(10);
      expect((await browser.get('/raw').expect(200)).body.user).toBeNull();
      expect(desk.log.of('expire')).toHaveLength(1);
    });

    it('P5 never count as activity', async () => {
      await open({ configure: raw });
      expect(await counts((browser) => browser.get('/raw').expect(200))).toBe(false);
      expect(await counts((browser) => browser.get('/nowhere').expect(404))).toBe(false);
    });

    it('P5 an unknown address finds the end too', async () => {
      await open();
      const browser = await desk.signedIn();
      desk.clock.jump(10);
      await browser.get('/nowhere').expect(404);
      expect(desk.log.of('expire')).toHaveLength(1);
    });
  });

  describe('P6 the ping route', () => {
    it('P6 registers itself, with the script', async () => {
      await open();
      await desk.browser().get('/session-security/ping').expect(200);
      const script = await desk.browser().get('/session-security/client.js').expect(200);
      expect(script.headers['content-type']).toMatch(/^text\/javascript/);
      expect(script.headers['cache-control']).toBe('public, no-cache');
      await desk
        .browser()
        .get('/session-security/client.js')
        .set('If-None-Match', script.headers['etag']!)
        .expect(304);
      const { tag } = (await desk.browser().get('/tag')).body as { tag: string };
      const versioned = /src="([^"]+)"/.exec(tag)![1]!;
      const cached = await desk.browser().get(versioned).expect(200);
      expect(cached.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    });

    it.each([
      '/session-security/client/package.json',
      '/session-security/client/..%2f..%2fpackage.json',
      '/session-security/client/nothing.js',
    ])('P6 serves nothing but the script: %s', async (path) => {
      await open();
      await desk.browser().get(path).expect(404);
    });

    it('P6 can be renamed', async () => {
      await open({ security: { path: 'internal/watch' } });
      await desk.browser().get('/internal/watch/ping').expect(200);
      await desk.browser().get('/session-security/ping').expect(404);
    });

    it('P6 can be switched off, and requests still work', async () => {
      await open({ security: { ping: false } });
      await desk.browser().get('/session-security/ping').expect(404);
      await desk.browser().get('/session-security/client.js').expect(404);
      const browser = await desk.signedIn();
      desk.clock.jump(9);
      expect(await browser.user()).toBe('anna');
      desk.clock.jump(10);
      expect(await browser.user()).toBeNull();
    });
  });

  describe('P7 the session middleware', () => {
    onExpress.each<[string, WatchedAppOptions['configure']]>([
      ['is missing', () => undefined],
      ['comes too late', (app, useSession) => void app.init().then(useSession)],
    ])('P7 %s: one clear error says what to add and where', async (_, configure) => {
      await open({ configure: configure! });
      await desk.browser().get('/whoami').expect(200);
      await desk.browser().get('/whoami').expect(200);
      const errors = desk.messages.matching(/No session middleware/);
      expect(errors).toEqual([expect.stringMatching(/app\.use\(session\(.*main\.ts.*before app\.listen/)]);
    });
  });

  describe('P8 a client that never pinged', () => {
    it('P8 is noticed: one line per application', async () => {
      await open();
      await desk.signedIn();
      await desk.signedIn();
      await desk.clock.advance(6);
      expect(desk.messages.matching(/no page has ever pinged for somebody signed in/)).toHaveLength(1);
    });

    it('P8 is noticed where only the sign-in page has it', async () => {
      await open();
      await desk.browser().get('/session-security/ping?start').expect(200);
      await desk.signedIn();
      await desk.clock.advance(6);
      expect(desk.messages.matching(/no page has ever pinged for somebody signed in/)).toHaveLength(1);
    });

    it('P8 nothing is said where pings come, or none are wanted', async () => {
      await open();
      await (await desk.signedIn()).ping({ idleFor: 0 });
      await desk.clock.advance(6);
      expect(desk.messages.matching(/no page has ever pinged for somebody signed in/)).toEqual([]);
      await desk.close();
      await open({ security: { ping: false } });
      await desk.signedIn();
      await desk.clock.advance(6);
      expect(desk.messages.matching(/no page has ever pinged for somebody signed in/)).toEqual([]);
    });
  });

  describe('P8 a session cookie that is Secure', () => {
    const withoutCookie = (): string[] => desk.messages.matching(/answered without a session cookie/);
    const secure = { session: { cookie: { secure: true } } };

    it('P8 is no use over plain HTTP: one line says it at the sign-in, and none asks for the client', async () => {
      await open(secure);
      const browser = await desk.signedIn();
      expect(browser.cookies.size).toBe(0);
      await desk.signedIn();
      await eventually('the hint', () => withoutCookie().length > 0, 10_000);
      await desk.clock.advance(6);
      expect(desk.log.of('warn')).toHaveLength(2);
      expect(withoutCookie()).toEqual([expect.stringMatching(/cookie: \{ secure: false \}.*trust proxy/)]);
      expect(desk.messages.matching(/no page has ever pinged/)).toEqual([]);
    });

    const overHttps = async (): Promise<void> => {
      const browser = desk.browser();
      await browser.post('/login', {}).set('X-Forwarded-Proto', 'https').expect(201);
      expect(browser.cookies.size).toBe(1);
    };

    it.each<[string, WatchedAppOptions, () => Promise<unknown>]>([
      ['over HTTPS', { ...secure, configure: behindProxy }, overHttps],
      ['that is Secure over HTTPS only', { session: { cookie: { secure: 'auto' } } }, () => desk.signedIn()],
      ['that was destroyed with its session', secure, () => desk.browser().post('/visit').expect(201)],
    ])('P8 nothing is said of one %s', async (_, options, visit) => {
      await open({ ...options, controllers: [VisitController] });
      await visit();
      // All responses have ended then.
      await desk.close();
      expect(desk.log.of('start')).toHaveLength(1);
      expect(withoutCookie()).toEqual([]);
    });

    onExpress('P8 nothing is said where express-session trusts a proxy that Express does not', async () => {
      await open({ session: { ...secure.session, proxy: true } });
      await overHttps();
      await desk.close();
      expect(withoutCookie()).toEqual([]);
    });
  });

  it('says how to recognise a sign-in when sessions are never recognised as signed in', async () => {
    await open({ security: { isAuthenticated: () => false } });
    const browser = await desk.signedIn();
    for (let call = 0; call < 25; call++) await browser.user();
    expect(desk.messages.matching(/none was ever recognised as signed in.*isAuthenticated/)).toHaveLength(1);
  });

  it('says it soon where a session holds what looks like a user, and names it', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { username: 'anna' });
    for (let call = 0; call < 2; call++) await browser.user();
    expect(desk.messages.matching(/none was ever recognised/)).toEqual([]);
    for (let call = 0; call < 2; call++) await browser.user();
    expect(
      desk.messages.matching(/isAuthenticated: .* request\.session\.username !== undefined/),
    ).toHaveLength(1);
  });
});

describe('an application without a session library at all', () => {
  it('P7 boots, and says it at the first request', async () => {
    @Controller()
    class HelloController {
      @Get()
      hello(@Req() call: { session?: unknown }): boolean {
        return call.session === undefined;
      }
    }
    class AppModule {}
    const messages = new Messages();
    const module = {
      module: AppModule,
      imports: [SessionSecurityModule.forRoot()],
      controllers: [HelloController],
    };
    const app = await NestFactory.create(module, { logger: messages });
    await app.listen(0, '127.0.0.1');
    await request(app.getHttpServer()).get('/').expect(200);
    await app.close();
    expect(messages.matching(/No session middleware/)).toHaveLength(1);
  });
});
