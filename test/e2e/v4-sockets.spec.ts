import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Signer } from '@fastify/cookie';
import type { Type } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { type OnGatewayConnection, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { MemoryStore } from 'express-session';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { WebSocket } from 'ws';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import { StoreFailure } from '../../lib/activity/store-calls.js';
import { type LiveConnection, Passive, type SessionReader, SessionSecurityService } from '../../lib/index.js';
import { cookieOf, onExpress, onFastify, SECRET, socketReader } from '../support/adapters.js';
import { eventually } from '../support/real-time.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

let desk: WatchedApp;
let readSession: SessionReader | undefined;

/** Messages of two kinds, in an application of sockets. */
@WebSocketGateway()
class WardGateway implements OnGatewayConnection {
  constructor(private readonly security: SessionSecurityService) {}

  handleConnection(connection: LiveConnection & { request?: IncomingMessage }, request?: IncomingMessage) {
    this.security.closeWithSession(connection, (request ?? connection.request)!, readSession);
  }

  @SubscribeMessage('position')
  position(): object {
    return { event: 'answer', data: 'position' };
  }

  @Passive(false)
  @SubscribeMessage('note')
  note(): object {
    return { event: 'answer', data: 'note' };
  }
}

/** Its sockets take their time to close. */
@WebSocketGateway()
class SlowToCloseGateway extends WardGateway {
  override handleConnection(connection: LiveConnection & { close: unknown }, request: IncomingMessage) {
    connection.close = () => undefined;
    super.handleConnection(connection, request);
  }
}

@WebSocketGateway()
class CarelessGateway {
  @SubscribeMessage('position')
  position(): object {
    return { event: 'answer', data: 'position' };
  }
}

/** A store that answers errors for as long as it is away. */
class BreakableStore extends MemoryStore {
  isAway = false;

  override get(...[sessionId, callback]: Parameters<MemoryStore['get']>): void {
    if (this.isAway) setImmediate(callback, new Error('the store is away'));
    else super.get(sessionId, callback);
  }
}

async function start(
  gateway: Type,
  adapter: typeof WsAdapter | typeof IoAdapter = WsAdapter,
  sessionStore = false,
  store = new MemoryStore(),
): Promise<void> {
  readSession = socketReader(store);
  desk = await WatchedApp.start({
    ...(sessionStore && { security: { sessionStore: store } }),
    store,
    providers: [gateway],
    configure: (app, useSession) => {
      useSession();
      app.useWebSocketAdapter(new adapter(app));
    },
  });
}

afterEach(() => desk.close());

const port = (): number => (desk.app.getHttpServer().address() as AddressInfo).port;

async function openSocket(browser: Browser): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: browser.cookieHeader } });
  await once(socket, 'open');
  return socket;
}

const codeOf = async (closing: Promise<unknown[]>): Promise<unknown> => (await closing)[0];

async function ask(socket: WebSocket, event: string): Promise<unknown> {
  socket.send(JSON.stringify({ event, data: null }));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(answer.toString());
}

describe('V4 a WebSocket', () => {
  it('V4 is closed with 1008 when its session expires, without a request, and others stay open', async () => {
    await start(WardGateway);
    const leaving = await openSocket(await desk.signedIn());
    const closing = once(leaving, 'close');
    await desk.clock.advance(5);
    const staying = await openSocket(await desk.signedIn('ben'));
    expect(await ask(staying, 'position')).toEqual({ event: 'answer', data: 'position' });
    await desk.clock.advance(5);
    expect(await codeOf(closing)).toBe(1008);
    expect(await ask(staying, 'position')).toEqual({ event: 'answer', data: 'position' });
  });

  it.each(['logout', 'endAll'])('V4 is closed when its session is ended (%s)', async (way) => {
    await start(WardGateway);
    const browser = await desk.signedIn();
    const closing = once(await openSocket(browser), 'close');
    if (way === 'logout') await browser.post('/logout');
    else await desk.security.endAll('anna');
    expect(await codeOf(closing)).toBe(1008);
  });

  it('V4 goes on when the session is given another id', async () => {
    await start(WardGateway);
    const browser = await desk.signedIn();
    const socket = await openSocket(browser);
    await browser.post('/rotate').expect(201);
    expect(await ask(socket, 'position')).toEqual({ event: 'answer', data: 'position' });
    const closing = once(socket, 'close');
    await desk.clock.advance(10);
    expect(await codeOf(closing)).toBe(1008);
  });

  it('V4 is closed at once when nobody is signed in, also by a cookie of before', async () => {
    await start(WardGateway);
    const late = await desk.signedIn();
    await desk.clock.advance(10);
    for (const browser of [desk.browser(), late]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: browser.cookieHeader } });
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      const why = browser === late ? 'The session has ended' : 'Nobody is signed in';
      expect([code, String(reason)]).toEqual([1008, why]);
    }
    expect(desk.messages.matching(/readSession/)).toEqual([]);
  });

  onExpress('V4 is closed at once when nothing reads its session, and one line says what does', async () => {
    await start(WardGateway);
    readSession = undefined;
    const browser = await desk.signedIn();
    for (let count = 0; count < 2; count++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: browser.cookieHeader } });
      expect(await codeOf(once(socket, 'close'))).toBe(1008);
    }
    expect(desk.messages.matching(/closeWithSession\(socket, request, readSession\)/)).toHaveLength(1);
  });

  it('V4 is closed with 1013 when its session cannot be read', async () => {
    await start(WardGateway);
    const browser = await desk.signedIn();
    // As express-session does it, of a store that says what it could not read.
    readSession = (request, _response, next) => {
      Object.assign(request, { sessionID: browser.sessionId });
      next(new Error(`cannot open ${browser.sessionId}: the store is away`));
    };
    const socket = new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: browser.cookieHeader } });
    expect(await codeOf(once(socket, 'close'))).toBe(1013);
    expect(desk.messages.matching(/the store is away/)).toHaveLength(1);
    expect(desk.messages.matching(new RegExp(browser.sessionId))).toEqual([]);
  });

  it('V4 is closed with 1013, not as ended, when the store fails or its session has just been given another id', async () => {
    const store = new BreakableStore();
    await start(WardGateway, WsAdapter, true, store);
    const browser = await desk.signedIn();
    const early = browser.copy();
    await browser.post('/rotate').expect(201);
    const opened = async (by: Browser): Promise<unknown> =>
      codeOf(
        once(new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: by.cookieHeader } }), 'close'),
      );
    expect(await opened(early)).toBe(1013);
    store.isAway = true;
    expect(await opened(browser)).toBe(1013);
    store.isAway = false;
    expect(await ask(await openSocket(browser), 'position')).toEqual({ event: 'answer', data: 'position' });
    await browser.post('/logout').expect(201);
    expect([await opened(early), await opened(browser)]).toEqual([1008, 1008]);
  });

  it('V4 is closed when its cookie is not signed by the application', async () => {
    await start(WardGateway);
    const browser = await desk.signedIn();
    browser.cookies.set('connect.sid', cookieOf(`${browser.sessionId}.${'A'.repeat(43)}`));
    const socket = new WebSocket(`ws://127.0.0.1:${port()}`, { headers: { cookie: browser.cookieHeader } });
    expect(await codeOf(once(socket, 'close'))).toBe(1008);
  });

  it('V4 is found by its session among other signed cookies', async () => {
    await start(WardGateway);
    const browser = await desk.signedIn();
    const own = browser.cookies.get('connect.sid')!;
    browser.cookies.delete('connect.sid');
    browser.cookies.set('another', cookieOf(new Signer(SECRET).sign('nothing')));
    browser.cookies.set('connect.sid', own);
    expect(await ask(await openSocket(browser), 'position')).toEqual({ event: 'answer', data: 'position' });
  });

  onFastify('V4 needs to know where sessions are kept, if it comes before any request', async () => {
    await start(WardGateway);
    const early = new WebSocket(`ws://127.0.0.1:${port()}`);
    expect(await codeOf(once(early, 'close'))).toBe(1013);
    expect(desk.messages.matching(/with the option sessionStore/)).toHaveLength(1);
    await desk.close();
    await start(WardGateway, WsAdapter, true);
    const socket = new WebSocket(`ws://127.0.0.1:${port()}`);
    expect(await codeOf(once(socket, 'close'))).toBe(1008);
  });

  it('V4 counts as activity only where a handler says so', async () => {
    await start(WardGateway);
    const socket = await openSocket(await desk.signedIn());
    const closing = once(socket, 'close');
    await desk.clock.advance(8);
    await ask(socket, 'note');
    await desk.clock.advance(8);
    expect(desk.log.of('expire')).toEqual([]);
    await ask(socket, 'position');
    await desk.clock.advance(2);
    expect(await codeOf(closing)).toBe(1008);
    expect(desk.log.of('expire')).toHaveLength(1);
  });

  it('V4 reaches no handler once the session has ended, also before it is closed', async () => {
    await start(SlowToCloseGateway);
    const [ended, staying] = [
      await openSocket(await desk.signedIn()),
      await openSocket(await desk.signedIn('ben')),
    ];
    await ask(ended, 'position');
    await desk.security.endAll('anna');
    const answers: unknown[] = [];
    ended.on('message', (answer) => answers.push(answer));
    ended.send(JSON.stringify({ event: 'position', data: null }));
    await ask(staying, 'position');
    expect(answers).toEqual([]);
  });

  it('V4 reaches no handler while a shared store is away for longer than its grace, and goes on afterwards', async () => {
    await start(WardGateway);
    const socket = await openSocket(await desk.signedIn());
    await ask(socket, 'position');
    // As the engine says it then.
    const trust = jest.spyOn(desk.app.get(ActivityTracker), 'requireTrust').mockImplementation(() => {
      throw new StoreFailure('the store is away');
    });
    const answered: unknown[] = [];
    socket.on('message', (frame: Buffer) => {
      const { event, data } = JSON.parse(frame.toString()) as Record<string, unknown>;
      if (event === 'answer') answered.push(data);
    });
    // Nest 11 says nothing to a message that a guard refuses.
    for (const event of ['position', 'note']) socket.send(JSON.stringify({ event, data: null }));
    await eventually('two messages', () => trust.mock.calls.length >= 2, 30_000);
    trust.mockRestore();
    socket.send(JSON.stringify({ event: 'position', data: null }));
    await eventually('an answer', () => answered.length > 0, 30_000);
    expect(answered).toEqual(['position']);
  });

  it('V4 is closed with 1013 by the first message for which the store cannot say whether its session lives', async () => {
    const store = new BreakableStore();
    await start(WardGateway, WsAdapter, true, store);
    const socket = await openSocket(await desk.signedIn());
    const closing = once(socket, 'close');
    // By memory it is over, which only the store can confirm.
    desk.clock.jump(11);
    store.isAway = true;
    socket.send(JSON.stringify({ event: 'position', data: null }));
    expect(await codeOf(closing)).toBe(1013);
    store.isAway = false;
    expect(desk.log.of('end')).toEqual([]);
  });

  it('V4 is left alone where the application does not ask for it', async () => {
    await start(CarelessGateway);
    const socket = await openSocket(await desk.signedIn());
    await desk.clock.advance(10);
    expect(await ask(socket, 'position')).toEqual({ event: 'answer', data: 'position' });
  });
});

describe('V4 a socket of socket.io', () => {
  const connect = (browser: Browser, options: Partial<SocketOptions & ManagerOptions> = {}): Socket =>
    io(`http://127.0.0.1:${port()}`, {
      extraHeaders: { cookie: browser.cookieHeader },
      transports: ['websocket'],
      reconnection: false,
      ...options,
    });
  const told = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));

  it('V4 comes back by itself where its session could not be read at first', async () => {
    await start(WardGateway, IoAdapter);
    const browser = await desk.signedIn();
    const reading = readSession;
    readSession = (_request, _response, next) => {
      readSession = reading;
      next(new Error('the store is away'));
    };
    const socket = connect(browser, { reconnection: true, reconnectionDelay: 10 });
    const disconnected = told(socket, 'disconnect');
    await told(socket, 'connect');
    const answered = told(socket, 'answer');
    expect(await disconnected).toBe('transport close');
    await told(socket, 'connect');
    socket.emit('position');
    expect(await answered).toBe('position');
    socket.close();
  });

  it('V4 is disconnected when its session expires', async () => {
    await start(WardGateway, IoAdapter);
    const socket = connect(await desk.signedIn());
    await told(socket, 'connect');
    const answered = told(socket, 'answer');
    socket.emit('position');
    expect(await answered).toBe('position');
    const disconnected = told(socket, 'disconnect');
    await desk.clock.advance(10);
    expect(await disconnected).toBe('io server disconnect');
  });
});
