import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import express from 'express';
import session, { type SessionData } from 'express-session';
import { ADAPTER, cookieOf, onExpress, readBodiesAs, SECRET } from '../support/adapters.js';
import { Doors, SlowDesk } from '../support/slow-desk.js';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

/** What may stand in a session store under the id of a session, by other programs or by accident. */
const FOREIGN: [what: string, value: unknown][] = [
  ['a text', 'hello'],
  ['a number', 42],
  ['true', true],
  ['a list', [1, 2]],
  ['nothing in it', {}],
  ['no cookie', { user: { id: 'anna' } }],
  ['a cookie that is none', { cookie: 'yes', user: { id: 'anna' } }],
  ['a cookie of nonsense', { cookie: { originalMaxAge: 'soon', expires: 'never' } }],
  ['a marker that is none', { cookie: {}, sessionSecurity: 'yes', user: { id: 'anna' } }],
  ['a marker of a life that never was', { cookie: {}, sessionSecurity: { version: 1, life: -1 } }],
  ['a marker of nonsense', { cookie: {}, sessionSecurity: { version: 1, life: {} }, user: { id: 'anna' } }],
  ['somebody from the future', { cookie: {}, sessionSecurity: { version: 99, life: 1 }, user: { id: 'x' } }],
];

/** An application that answers every address, as those with one page for all do. */
@Controller()
class EveryAddress {
  @Get(ADAPTER === 'express' ? '*path' : '*')
  page(): object {
    return {};
  }
}

describe('hostile input', () => {
  let desk: WatchedApp;
  const open = async (options: WatchedAppOptions = {}): Promise<void> => {
    desk = await WatchedApp.start({ controllers: [SlowDesk], providers: [Doors], ...options });
  };
  afterEach(async () => {
    desk.app.get(Doors).openAll();
    await desk.close();
  });

  const put = (key: string, value: unknown): Promise<unknown> =>
    new Promise((resolve) =>
      new session.MemoryStore().set.call(desk.store, key, value as SessionData, resolve),
    );

  describe('foreign data under the id of a session', () => {
    it.each(FOREIGN)('%s signs nobody in and breaks no request', async (_, value) => {
      await open();
      const [anna, ben] = [await desk.signedIn('anna'), await desk.signedIn('ben')];
      await put(anna.sessionId, value);
      for (const path of ['/whoami', '/session-security/ping', '/nowhere']) {
        expect((await anna.get(path)).status).toBeLessThan(500);
      }
      expect([await anna.user(), await ben.user()]).toEqual([null, 'ben']);
      await anna.post('/login', { user: 'anna' }).expect(201);
      expect(await anna.user()).toBe('anna');
    });
  });

  describe('cookies', () => {
    it.each([
      ['nothing', ''],
      ['no signature', 's%3Aabc'],
      ['a wrong signature', 's%3Aabc.def'],
      ['an id of a megabyte, nearly', `s%3A${'a'.repeat(7_000)}.x`],
      ['broken escapes', 's%3A%E0%A4%A.%'],
      ['the key of a record', 's%3Asession-security-abc.x'],
      ['a name of the prototype', 's%3A__proto__.constructor'],
    ])('%s: nobody, and no error', async (_, value) => {
      await open();
      const browser = desk.browser();
      browser.cookies.set('connect.sid', value);
      browser.cookies.set('session-security-ended', `idle.${'9'.repeat(400)}`);
      for (const path of ['/whoami', '/session-security/ping', '/login']) {
        expect((await browser.get(path)).status).toBeLessThan(500);
      }
      expect((await browser.ping({ idleFor: 0 })).body.state).toMatch(/anonymous|expired/);
    });

    it('a stolen signature opens no record: the id of a record is none of a session', async () => {
      await open();
      const anna = await desk.signedIn();
      const [key] = Object.keys(desk.stored()).filter((name) => name.startsWith('session-security-'));
      const signature = createHmac('sha256', SECRET).update(key!).digest('base64').replace(/=+$/, '');
      const thief = desk.browser();
      thief.cookies.set('connect.sid', cookieOf(`${key}.${signature}`));
      expect(await thief.user()).toBeNull();
      await thief.post('/logout');
      expect(await anna.user()).toBe('anna');
    });
  });

  describe('requests that are given up', () => {
    /** Sends a request and hangs up once its handler has been reached. */
    const hangUp = async (browser: Browser, method: string, path: string, door: string): Promise<void> => {
      const { port } = desk.app.getHttpServer().address() as AddressInfo;
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const cookie = browser.cookieHeader;
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`);
      await desk.app.get(Doors).reached(door);
      socket.destroy();
      await once(socket, 'close');
    };

    it.each([
      ['GET', 'read'],
      ['GET', 'stamp'],
      ['POST', 'write'],
      ['POST', 'rotate'],
      ['POST', 'rotate-late'],
      ['GET', 'download'],
      ['GET', 'news'],
    ])('%s /slow/%s leaves a session that ends on time and stays dead', async (method, door) => {
      await open();
      const browser = await desk.signedIn();
      await hangUp(browser, method, `/slow/${door}`, door);
      desk.app.get(Doors).openAll();
      // Nobody is there to be answered, so there is nothing to wait for but the handler itself.
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      await desk.clock.advance(11);
      expect(await browser.user()).toBeNull();
      await desk.clock.advance(60);
      expect(desk.log.of('end')).toHaveLength(1);
      expect(
        Object.values(desk.stored()).filter(({ user, sessionSecurity }) => user ?? sessionSecurity),
      ).toEqual([]);
    });
  });

  /** A request as it is written, answered as it is read. */
  const exchange = async (browser: Browser, target: string, ...headers: string[]): Promise<string> => {
    const { port } = desk.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const cookie = browser.cookieHeader;
    const lines = [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', `Cookie: ${cookie}`, ...headers];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return text(socket);
  };

  describe('addresses', () => {
    it.each([
      ['two slashes', '//evil.example/x'],
      ['many slashes', '////evil.example/x'],
      ['a backslash', '/\\evil.example/x'],
      // @fastify/session knows no session at such an address.
      ...(ADAPTER === 'express' ? [['a whole URL', 'http://evil.example//evil.example/x']] : []),
    ])('%s: the way back from the sign-in page leads to this site', async (_, target) => {
      await open({
        controllers: [SlowDesk, EveryAddress],
        security: { onExpired: 'redirect', loginUrl: '/login' },
      });
      const browser = await desk.signedIn();
      await desk.clock.advance(11);
      const answer = await exchange(browser, target, 'Accept: text/html');
      const [, way] = /^Location: \/login\?returnTo=(.*)$/im.exec(answer.replaceAll('\r', ''))!;
      const { origin, pathname } = new URL(decodeURIComponent(way!), 'https://clinic.example');
      expect([origin, pathname]).toEqual(['https://clinic.example', '/evil.example/x']);
    });

    it('a whole URL, as some proxies write it, is as passive as its path', async () => {
      await open({ security: { passive: ['/whoami'] } });
      const browser = await desk.signedIn();
      for (let second = 0; second < 12; second += 4) {
        await desk.clock.advance(4);
        expect(await exchange(browser, 'http://x/whoami')).toContain('HTTP/1.1 200');
      }
      expect(await browser.user()).toBeNull();
    });
  });

  describe('caches that browsers share', () => {
    it.each(['client.js', 'client/client.js'])('keep no cookie of the answer to %s', async (file) => {
      await open({ session: { rolling: true } });
      const browser = await desk.signedIn();
      const whileSignedIn = await browser.get(`/session-security/${file}`).expect(200);
      await desk.clock.advance(11);
      const afterwards = await browser.get(`/session-security/${file}`).expect(200);
      for (const { headers } of [whileSignedIn, afterwards]) {
        expect(headers['cache-control']).toMatch(/^public/);
        expect(headers).not.toHaveProperty('set-cookie');
      }
      expect(await browser.state()).toMatchObject({ state: 'expired', reason: 'idle' });
    });
  });

  /** A ping whose body is still to be written. */
  const beginPing = async (browser: Browser, framing: string) => {
    const { port } = desk.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const request = once(desk.app.getHttpServer(), 'request');
    const lines = ['Host: x', 'Connection: close', `Cookie: ${browser.cookieHeader}`, framing];
    socket.write(
      `POST /session-security/ping HTTP/1.1\r\n${lines.join('\r\n')}\r\nContent-Type: application/json\r\n\r\n`,
    );
    const [received] = (await request) as [IncomingMessage];
    return { socket, received };
  };

  describe('pings in chunks', () => {
    const long = `{"idleFor":0,"more":"${'x'.repeat(1024)}"}`;
    const deep = `{"idleFor":0,"more":${'['.repeat(40_000)}${']'.repeat(40_000)}}`;

    it.each([
      ['long', long, 413],
      ['nested deeply', deep, 413],
      ['short', '{"idleFor":0}', 200],
    ])('%s: more than 1 KiB is no ping, also for the parser of the application', async (_, body, status) => {
      await open();
      const browser = await desk.signedIn();
      await desk.clock.advance(4);
      const { socket } = await beginPing(browser, 'Transfer-Encoding: chunked');
      socket.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      expect(await text(socket)).toContain(`HTTP/1.1 ${status}`);
      expect((await browser.state()).idleFor).toBe(status === 200 ? 0 : 4);
    });
  });

  describe('pings whose body the module reads itself, on its way', () => {
    const openUnread = (): Promise<void> =>
      open({
        bodyParser: false,
        configure: (app, useSession) => {
          app.use('/login', express.json());
          useSession();
        },
      });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    };

    onExpress.each<[string, () => Promise<unknown>, string]>([
      ['expires', () => desk.clock.advance(11), 'idle'],
      ['is ended', () => desk.security.endAll('anna'), 'revoked'],
    ])('a session that %s meanwhile is told as ended', async (_, end, reason) => {
      await openUnread();
      const { socket } = await beginPing(await desk.signedIn(), 'Content-Length: 13');
      const answer = text(socket);
      socket.write('{"');
      await turns();
      await end();
      socket.write('idleFor":0}');
      expect(await answer).toMatch(new RegExp(`"state":"expired","reason":"${reason}"`));
    });

    onExpress('one that is given up is no failure of the server', async () => {
      await openUnread();
      const browser = await desk.signedIn();
      const { socket, received } = await beginPing(browser, 'Content-Length: 13');
      socket.write('{"');
      await turns();
      const closed = new Promise((resolve) => received.once('close', resolve));
      socket.destroy();
      await closed;
      await turns();
      expect(await browser.user()).toBe('anna');
      expect(desk.messages.matching(/aborted/)).toEqual([]);
    });
  });

  describe('bodies that the application reads in its own way', () => {
    it.each([
      ['bytes', 'buffer'],
      ['text', 'string'],
    ] as const)('a ping that was read as %s counts, and a malformed one does not', async (_, kind) => {
      await open({
        bodyParser: false,
        configure: (app, useSession) => {
          readBodiesAs(app, kind);
          useSession();
        },
      });
      const browser = await desk.signedIn();
      await desk.clock.advance(8);
      await browser.ping({ idleFor: -1 }).expect(400);
      expect((await browser.state()).idleFor).toBe(8);
      await browser.ping({ idleFor: 1 }).expect(200);
      expect((await browser.state()).idleFor).toBe(1);
    });
  });

  it.each<[string, (file: string) => object]>([
    ['a file store', (file) => ({ code: 'EACCES', path: file })],
    ['any other', () => ({})],
  ])('no session id is in what is said of %s that fails, and it is said once', async (_, more) => {
    const store = new session.MemoryStore();
    const sound = store.get.bind(store);
    let isBroken = false;
    store.get = (id, callback) => {
      if (!isBroken) return sound(id, callback);
      const file = `/var/sessions/${id}.json`;
      callback(Object.assign(new Error(`permission denied, open '${file}'`), more(file)));
    };
    await open({ store });
    const browsers = [await desk.signedIn('anna'), await desk.signedIn('ben')];
    isBroken = true;
    for (const browser of browsers) expect(await browser.user()).toBeNull();
    await desk.clock.advance(30);
    expect(desk.messages.matching(/permission denied/)).toHaveLength(1);
    for (const browser of browsers)
      expect(desk.messages.matching(/./).filter((line) => line.includes(browser.sessionId))).toEqual([]);
  });

  it('failures that are all worded differently fill neither log nor memory', async () => {
    let calls = 0;
    const isAuthenticated = (): boolean => {
      throw new Error(`user number ${++calls} cannot be found`);
    };
    await open({ security: { isAuthenticated } });
    const browser = desk.browser();
    for (let request = 0; request < 60; request++) await browser.get('/whoami').expect(200);
    expect(desk.messages.matching(/cannot be found/)).toHaveLength(20);
  });

  it('a header full of session cookies is not looked through to its end', async () => {
    await open({ providers: [Doors], security: { onExpired: 'reject' } });
    const ended = await desk.signedIn();
    await desk.clock.advance(11);
    const dead = ended.cookies.get('connect.sid')!;
    const browser = desk.browser();
    for (let number = 0; number < 150; number++)
      browser.cookies.set(`c${number}`, cookieOf(`${number}.${'x'.repeat(27)}`));
    browser.cookies.set('connect.sid', dead);
    await browser.get('/whoami').expect(200);
    browser.cookies.clear();
    for (let number = 0; number < 7; number++)
      browser.cookies.set(`c${number}`, cookieOf(`${number}.${'x'.repeat(27)}`));
    browser.cookies.set('connect.sid', dead);
    await browser.get('/whoami').expect(401);
  });

  it('twenty sign-outs at once: one end, and no error', async () => {
    await open();
    const browser = await desk.signedIn();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const path = ['/logout', '/forget', '/session-security/end'][index % 3]!;
        return (await browser.copy().post(path)).status;
      }),
    );
    expect(Math.max(...statuses)).toBeLessThan(500);
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['logout']);
    expect(await browser.user()).toBeNull();
    expect(Object.values(desk.stored()).filter(({ user }) => user)).toEqual([]);
  });

  it('a thousand requests with ids that nobody has leave nothing in memory or store', async () => {
    await open();
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const browser = desk.browser();
          browser.cookies.set('connect.sid', `s%3Aguess-${batch}-${index}.signature`);
          await browser.ping({ idleFor: 0 }).expect(200);
        }),
      );
    }
    expect(desk.stored()).toEqual({});
    expect(await desk.security.list()).toEqual([]);
    expect(desk.log.events).toEqual([]);
  });
});
