import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import request from 'supertest';
import {
  SessionSecurityEvents,
  SessionSecurityHealth,
  SessionSecurityModule,
  type SessionSecurityOptionsInput,
  SessionSecurityService,
} from 'nestjs-session-security';
import { RedisActivityStore } from 'nestjs-session-security/redis';
import { eventually } from '../support/real-time.js';
import { RedisServer } from '../support/redis-server.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- express-session's request is whatever the application makes of it. */

@Controller()
class DeskController {
  constructor(private readonly sessions: SessionSecurityService) {}

  @Post('login')
  async login(@Req() incoming: any): Promise<object> {
    await new Promise((resolve) => incoming.session.regenerate(resolve));
    incoming.session.user = { id: 'anna' };
    return {};
  }

  @Post('logout')
  async logout(@Req() incoming: any): Promise<object> {
    await new Promise((resolve) => incoming.session.destroy(resolve));
    return {};
  }

  @Get('whoami')
  whoami(@Req() incoming: any): object {
    return { user: incoming.session?.user?.id ?? null };
  }

  @Post('slow')
  async slow(@Req() incoming: any): Promise<object> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    incoming.session.draft = Math.random();
    return {};
  }

  @Post('end-all')
  async endAll(): Promise<object> {
    return { ended: await this.sessions.endAll('anna') };
  }
}

/** One process of the application: clients, store and module of its own. */
async function openDesk(url: string, security: SessionSecurityOptionsInput = {}): Promise<Desk> {
  const client = createClient({ url, disableOfflineQueue: true });
  client.on('error', () => undefined);
  await client.connect();

  @Module({
    imports: [
      SessionSecurityModule.forRoot({
        warnAfter: 3,
        expireAfter: 4,
        secret: 'the secret of both processes, long enough',
        store: new RedisActivityStore({ client, shards: 4, commandTimeout: 1 }),
        ...security,
      }),
    ],
    controllers: [DeskController],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: false });
  app.use(
    session({
      secret: 'of the cookies',
      resave: false,
      saveUninitialized: false,
      store: new RedisStore({ client, disableTouch: true }),
    }),
  );
  await app.listen(0, '127.0.0.1');
  return { app, stop: () => app.close().then(() => void (client.isOpen && client.destroy())) };
}

interface Desk {
  readonly app: INestApplication;
  readonly stop: () => Promise<void>;
}

describe('an application in two processes', () => {
  let server: RedisServer;
  let desks: Desk[];
  const call = (desk: number, method: 'get' | 'post', path: string, cookie?: string) => {
    const sent = request(desks[desk]!.app.getHttpServer() as never)[method](path);
    return cookie === undefined ? sent : sent.set('Cookie', cookie);
  };
  const signIn = async (desk: number): Promise<string> => {
    const { headers } = await call(desk, 'post', '/login').expect(201);
    return (headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  };
  const user = async (desk: number, cookie: string): Promise<string | null> =>
    (await call(desk, 'get', '/whoami', cookie).expect(200)).body.user;

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.command('FLUSHALL');
    desks = await Promise.all([openDesk(server.url), openDesk(server.url)]);
  });
  afterEach(() => Promise.all(desks.map(({ stop }) => stop())));

  it('6 who signs in on one process is known to the other, and a sign-out bites on both at once', async () => {
    const cookie = await signIn(0);
    expect([await user(1, cookie), await user(0, cookie)]).toEqual(['anna', 'anna']);
    await call(1, 'post', '/logout', cookie).expect(201);
    expect([await user(0, cookie), await user(1, cookie)]).toEqual([null, null]);
    const { body } = await call(0, 'get', '/session-security/ping', cookie).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'logout' });
  });

  it('6 V4 every process hears of an end within five seconds', async () => {
    const ended: string[][] = desks.map(() => []);
    desks.forEach(({ app }, index) =>
      app.get(SessionSecurityEvents).end$.subscribe(({ reason }) => ended[index]!.push(reason)),
    );
    const cookie = await signIn(0);
    await call(1, 'post', '/logout', cookie);
    await eventually('both have heard', () => ended.every((reasons) => reasons.length === 1), 5000);
    expect(ended).toEqual([['logout'], ['logout']]);
  });

  it('6 all sessions of a user end, wherever they were begun', async () => {
    const cookies = [await signIn(0), await signIn(1), await signIn(0)];
    const { body } = await call(1, 'post', '/end-all').expect(201);
    expect(body).toEqual({ ended: 3 });
    for (const cookie of cookies)
      expect([await user(0, cookie), await user(1, cookie)]).toEqual([null, null]);
  });

  it('6 C2 a logout on one process during slow writes on both is final: 400 rounds, 0 revived', async () => {
    let revived = 0;
    const round = async (): Promise<void> => {
      const cookie = await signIn(0);
      const slow = [0, 1, 0, 1].map((desk) => call(desk, 'post', '/slow', cookie).expect(201));
      await Promise.all([...slow, call(1, 'post', '/logout', cookie)]);
      if ((await user(0, cookie)) !== null || (await user(1, cookie)) !== null) revived++;
    };
    for (let done = 0; done < 400; done += 8) await Promise.all(Array.from({ length: 8 }, round));
    expect(revived).toBe(0);
    expect(await server.command('KEYS', 'sess:*')).toEqual([]);
  }, 120_000);

  it('1 activity on either process keeps a session alive, and its end is told once for both', async () => {
    const handled: string[] = [];
    for (const { app } of desks) {
      app
        .get(SessionSecurityEvents)
        .durable('mail', ({ kind, id }) => void handled.push(`${kind} ${id}`), ['expire']);
    }
    const cookie = await signIn(0);
    for (let second = 0; second < 6; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await user(second % 2, cookie)).toBe('anna');
    }
    await eventually('the expiry handled', () => handled.length > 0, 15_000);
    expect(handled).toHaveLength(1);
    await eventually(
      'the blob removed',
      async () => ((await server.command('KEYS', 'sess:*')) as string[]).length === 0,
      5000,
    );
    expect(await user(0, cookie)).toBeNull();
  }, 40_000);

  it('3 while Redis is away requests get a clean 503 and health says so; afterwards nobody was ended', async () => {
    await Promise.all(desks.map(({ stop }) => stop()));
    desks = [await openDesk(server.url, { grace: 0, warnAfter: 50, expireAfter: 60 })];
    const cookie = await signIn(0);
    const health = desks[0]!.app.get(SessionSecurityHealth);
    expect(health.isHealthy('sessions')).toEqual({ sessions: { status: 'up' } });
    server.freeze();
    try {
      await eventually('the outage noticed', () => health.isHealthy().sessions.status === 'down', 10_000);
      const refused = await call(0, 'get', '/whoami', cookie).expect(503);
      expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    } finally {
      server.thaw();
    }
    await eventually('Redis back', () => health.isHealthy().sessions.status === 'up', 10_000);
    expect(await user(0, cookie)).toBe('anna');
  }, 40_000);
});
