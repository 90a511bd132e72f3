import 'reflect-metadata';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Controller, Get, type INestApplication, Module, Post, Req, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import { concat, NEVER, of, takeUntil } from 'rxjs';
import request from 'supertest';
import {
  Passive,
  SessionSecurityModule,
  type SessionSecurityOptionsInput,
  SessionSecurityService,
} from 'nestjs-session-security';
import { RedisActivityStore, type RedisActivityStoreOptions } from 'nestjs-session-security/redis';

/* eslint-disable @typescript-eslint/no-explicit-any -- express-session's request is whatever the application makes of it. */

@Controller()
class DeskController {
  constructor(private readonly sessions: SessionSecurityService) {}

  @Post('login')
  async login(@Req() incoming: any): Promise<object> {
    await new Promise((resolve) => incoming.session.regenerate(resolve));
    incoming.session.user = { id: incoming.query.user ?? 'anna' };
    return {};
  }

  @Post('logout')
  async logout(@Req() incoming: any): Promise<object> {
    if (incoming.query.held) await letGoOn();
    await new Promise((resolve) => incoming.session.destroy(resolve));
    return {};
  }

  @Post('leave')
  async leave(@Req() incoming: any): Promise<object> {
    await this.sessions.end(incoming);
    return {};
  }

  /** Gives the session another id. */
  @Post('rotate')
  async rotate(@Req() incoming: any): Promise<object> {
    const data = { ...incoming.session };
    delete data.cookie;
    if (incoming.query.held) await letGoOn();
    await new Promise((resolve) => incoming.session.regenerate(resolve));
    Object.assign(incoming.session, data);
    return {};
  }

  @Get('whoami')
  whoami(@Req() incoming: any): object {
    return { user: incoming.session?.user?.id ?? null };
  }

  @Passive()
  @Sse('news')
  news(@Req() incoming: any): object {
    return concat(of({ data: 'welcome' }), NEVER).pipe(takeUntil(this.sessions.ended(incoming)));
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

/** Requests that have read their session and do nothing until they are let go on, of all desks of this process. */
export const held: (() => void)[] = [];

function letGoOn(): Promise<void> {
  return new Promise((resolve) => held.push(resolve));
}

export interface DeskSettings {
  readonly security?: SessionSecurityOptionsInput;
  readonly records?: Partial<RedisActivityStoreOptions>;
  /** Where the data of the sessions lies, if not with their records. */
  readonly blobs?: string;
}

/** One process of the application: clients, store and module of its own. */
export class Desk {
  static async open(url: string, { security, records, blobs = url }: DeskSettings = {}): Promise<Desk> {
    const clients = await Promise.all([...new Set([url, blobs])].map(connect));

    @Module({
      imports: [
        SessionSecurityModule.forRoot({
          warnAfter: 3,
          expireAfter: 4,
          secret: 'the secret of all processes, long enough',
          store: new RedisActivityStore({ client: clients[0]!, shards: 4, commandTimeout: 1, ...records }),
          ...security,
        }),
      ],
      controllers: [DeskController],
    })
    class AppModule {}

    const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: false });
    const sessions = session({
      secret: 'of the cookies',
      resave: false,
      saveUninitialized: false,
      store: new RedisStore({ client: clients.at(-1)!, disableTouch: true }),
    });
    app.use(sessions);
    // A socket as those of the web: a request that is answered by taking over its connection.
    app.getHttpServer().on('upgrade', (incoming: any, socket: Duplex) => {
      void sessions(incoming, new ServerResponse(incoming as IncomingMessage) as any, () => {
        app
          .get(SessionSecurityService)
          .ended(incoming)
          .subscribe(() => socket.end());
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n');
      });
    });
    await app.listen(0, '127.0.0.1');
    return new Desk(app, clients);
  }

  private constructor(
    readonly app: INestApplication,
    private readonly clients: readonly { readonly isOpen: boolean; destroy(): void }[],
  ) {}

  call(method: 'get' | 'post', path: string, cookie?: string): request.Test {
    const sent = request(this.app.getHttpServer() as never)[method](path);
    return cookie === undefined ? sent : sent.set('Cookie', cookie);
  }

  /** Answers the cookie of somebody who has just signed in. */
  async signIn(user = 'anna'): Promise<string> {
    const { headers } = await this.call('post', `/login?user=${user}`).expect(201);
    return (headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  }

  get address(): { readonly port: number } {
    return this.app.getHttpServer().address() as { port: number };
  }

  async userOf(cookie: string): Promise<string | null> {
    return (await this.call('get', '/whoami', cookie).expect(200)).body.user;
  }

  async close(): Promise<void> {
    await this.app.close();
    for (const client of this.clients) if (client.isOpen) client.destroy();
  }
}

async function connect(url: string) {
  const client = createClient({ url, disableOfflineQueue: true });
  client.on('error', () => undefined);
  return client.connect();
}
