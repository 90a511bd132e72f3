import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Context, GraphQLModule, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MemoryStore } from 'express-session';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  AllowExpired,
  type LiveConnection,
  Passive,
  type SessionSecurityOptionsInput,
  SessionSecurityService,
} from '../../lib/index.js';
import { socketReader } from '../support/adapters.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

interface DeskContext {
  req: { session: { user?: { id: string } } };
}

interface Answer {
  data?: unknown;
  errors?: unknown[];
}

/** What graphql-ws knows of a connection. */
interface ConnectionExtra {
  socket: LiveConnection;
  request: IncomingMessage;
}

@Injectable()
@Resolver()
class DeskResolver {
  @Query(() => String, { nullable: true })
  whoami(@Context() { req }: DeskContext): string | null {
    return req.session.user?.id ?? null;
  }

  @Passive()
  @Query(() => String, { nullable: true })
  poll(@Context() context: DeskContext): string | null {
    return this.whoami(context);
  }

  @AllowExpired()
  @Mutation(() => String)
  signIn(@Context() { req }: DeskContext): string {
    req.session.user = { id: 'ben' };
    return 'ben';
  }

  @Mutation(() => Boolean)
  write(): boolean {
    return true;
  }

  @Subscription(() => String, { resolve: (note: string) => note })
  async *notes(): AsyncGenerator<string> {
    yield 'the first';
    await new Promise(() => undefined);
  }
}

let desk: WatchedApp;

async function start(security: SessionSecurityOptionsInput = {}): Promise<void> {
  const store = new MemoryStore();
  const readSession = socketReader(store);
  desk = await WatchedApp.start({
    store,
    security,
    imports: [
      GraphQLModule.forRootAsync<ApolloDriverConfig>({
        driver: ApolloDriver,
        inject: [SessionSecurityService],
        useFactory: (service: SessionSecurityService) => ({
          autoSchemaFile: true,
          subscriptions: {
            'graphql-ws': {
              onConnect: ({ extra }) => {
                const { socket, request } = extra as ConnectionExtra;
                service.closeWithSession(socket, request, readSession);
              },
            },
          },
        }),
      }),
    ],
    providers: [DeskResolver],
  });
}

afterEach(() => desk.close());

async function send(browser: Browser, query: string): Promise<Answer> {
  return (await browser.post('/graphql', { query })).body as Answer;
}

describe('GraphQL over HTTP', () => {
  it('queries and mutations are activity, a passive resolver is not', async () => {
    await start();
    const browser = await desk.signedIn();
    for (const query of ['{ whoami }', 'mutation { write }']) {
      await desk.clock.advance(8);
      expect(await send(browser, query)).toEqual({ data: expect.anything() });
    }
    await desk.clock.advance(8);
    expect(await send(browser, '{ poll }')).toEqual({ data: { poll: 'anna' } });
    await desk.clock.advance(2);
    expect(await send(browser, '{ whoami }')).toEqual({ data: { whoami: null } });
    expect(desk.log.of('expire')).toHaveLength(1);
  });

  it('a resolver that signs somebody in starts both clocks', async () => {
    await start();
    const browser = desk.browser();
    await send(browser, 'mutation { signIn }');
    expect(desk.log.of('start')).toEqual([expect.objectContaining({ userId: 'ben' })]);
  });

  it('an ended session is refused where the application wants that, and may sign in again', async () => {
    await start({ onExpired: 'reject' });
    const browser = await desk.signedIn();
    await desk.clock.advance(10);
    const { data, errors } = await send(browser.copy(), '{ whoami }');
    expect(data).toEqual({ whoami: null });
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'The session of this request has ended. Sign in again.',
        extensions: expect.objectContaining({
          code: 'UNAUTHENTICATED',
          originalError: expect.objectContaining({ code: 'session_expired' }),
        }),
      }),
    ]);
    expect(await send(browser, 'mutation { signIn }')).toEqual({ data: { signIn: 'ben' } });
  });
});

describe('V4 a subscription of GraphQL', () => {
  let client: Client;
  afterEach(() => client.dispose());

  it('V4 ends with the session in which it was opened, and is not activity', async () => {
    await start();
    const browser = await desk.signedIn();
    const cookie = browser.cookieHeader;
    const { port } = desk.app.getHttpServer().address() as AddressInfo;
    class SignedInSocket extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers: { cookie } });
      }
    }
    const sockets: WebSocket[] = [];
    client = createClient({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: SignedInSocket,
      retryAttempts: 0,
      on: { opened: (socket) => void sockets.push(socket as WebSocket) },
    });
    await desk.clock.advance(8);
    const notes = client.iterate({ query: 'subscription { notes }' });
    expect(await notes.next()).toMatchObject({ value: { data: { notes: 'the first' } } });
    const closing = once(sockets[0]!, 'close');
    const rest = notes.next();
    rest.catch(() => undefined);
    await desk.clock.advance(2);
    expect((await closing)[0]).toBe(1008);
    await expect(rest).rejects.toMatchObject({ code: 1008 });
  });
});
