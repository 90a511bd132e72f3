import { once } from 'node:events';
import { Agent, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import express from 'express';
import type { SessionOptions, Store } from 'express-session';
import { fastify } from 'fastify';
import { ADAPTER, useExpressSessions, useFastifySessions } from '../support/adapters.js';
import { QuickClient } from '../support/quick-client.js';
import { COMBINATIONS, type Combination, sessionOptions } from '../support/stores/combinations.js';
import { Faults } from '../support/stores/faults.js';
import { StoreYard, type TestStore } from '../support/stores/kinds.js';
import { WatchedApp } from '../support/watched-app.js';

const AT_ONCE = 20;
/** Thousands of requests, on a machine that may be busy: only a test that hangs takes so long. */
const LONGEST = 120_000;
/** 400 for each store and way of saving what has not changed: here with `rolling` and without. */
const roundsOf = ({ kind }: Combination): number => {
  if (ADAPTER === 'express') return 200;
  // Without `resave` there is half as much to combine; and what differs between stores has been shown on Express.
  return kind === 'memory' ? 400 : 3 * AT_ONCE;
};
const WRITERS = 4;

interface NoteRequest {
  session: { note?: number; user?: { id: string }; destroy(callback: () => void): void };
}

/** Some milliseconds at most: the overlap is what matters. */
const aMoment = (): Promise<void> => pause(Math.random() * 3);

async function writeNote({ session }: NoteRequest): Promise<object> {
  await aMoment();
  session.note = Math.random();
  return {};
}

@Controller()
class NoteController {
  @Post('note')
  note(@Req() request: NoteRequest): Promise<object> {
    return writeNote(request);
  }
}

/** Signs in, signs out while four writers run, and looks whether the session came back. */
async function round(client: QuickClient): Promise<boolean> {
  expect((await client.send('POST', '/login')).status).toBeLessThan(300);
  const { cookie } = client;
  const writers = Array.from({ length: WRITERS }, async () => {
    await aMoment();
    return client.send('POST', '/note', cookie);
  });
  await aMoment();
  await client.send('POST', '/logout', cookie);
  for (const { status } of await Promise.all(writers)) expect(status).toBeLessThan(300);
  return (await client.send('GET', '/whoami', cookie)).body !== '{"user":null}';
}

/** How many sessions came back. */
async function play(server: Server, rounds: number): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let revived = 0;
  for (let played = 0; played < rounds; played += AT_ONCE) {
    const outcomes = await Promise.all(
      Array.from({ length: AT_ONCE }, () => round(new QuickClient(port, agent))),
    );
    revived += outcomes.filter(Boolean).length;
  }
  agent.destroy();
  return revived;
}

/** The same handlers without the module, on Express or on Fastify alone. */
async function unguarded(
  store: Store,
  options: Partial<SessionOptions>,
): Promise<[Server, () => Promise<unknown>]> {
  const handlers: [
    method: 'get' | 'post',
    path: string,
    handler: (request: NoteRequest) => object | Promise<object>,
  ][] = [
    ['post', '/note', writeNote],
    ['get', '/whoami', ({ session }) => ({ user: session.user?.id ?? null })],
    ['post', '/login', ({ session }) => (session.user = { id: 'anna' })],
    ['post', '/logout', async ({ session }) => ({ done: await promisify(session.destroy.bind(session))() })],
  ];
  if (ADAPTER === 'fastify') {
    const app = fastify();
    useFastifySessions(app, store, options);
    for (const [method, path, handler] of handlers)
      app[method](path, (request) => Promise.resolve(handler(request as unknown as NoteRequest)));
    await app.listen({ host: '127.0.0.1', port: 0 });
    return [app.server, () => app.close()];
  }
  const app = express();
  useExpressSessions(app, store, options);
  for (const [method, path, handler] of handlers)
    app[method](path, async (request, response) => void response.json(await handler(request as NoteRequest)));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, promisify(server.close.bind(server))];
}

const yard = new StoreYard();
afterEach(() => yard.clear());
afterAll(() => yard.close());

async function jittery({ kind }: Combination): Promise<TestStore> {
  const stored = await yard.create(kind);
  const faults = new Faults(stored.store);
  faults.delay = () => (Math.random() < 0.5 ? Math.ceil(Math.random() * 2) : 0);
  return stored;
}

describe.each(COMBINATIONS)(
  'C2 a sign-out against four writers ($kind, resave $resave, rolling $rolling)',
  (combination) => {
    const rounds = roundsOf(combination);

    it(
      `C2 of ${rounds} sessions none comes back`,
      async () => {
        const stored = await jittery(combination);
        const desk = await WatchedApp.start({
          store: stored.store,
          session: sessionOptions(combination),
          controllers: [NoteController],
        });
        expect(await play(desk.app.getHttpServer() as Server, rounds)).toBe(0);
        expect(await stored.signedIn()).toEqual({});
        expect(await stored.records()).toEqual({});
        expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(Array(rounds).fill('logout'));
        await desk.close();
      },
      LONGEST,
    );
  },
);

describe.each(COMBINATIONS.filter(({ rolling }) => ADAPTER === 'fastify' || !rolling))(
  'C2 the race is real ($kind, resave $resave, rolling $rolling)',
  (combination) => {
    it('C2 without the module sessions come back', async () => {
      const stored = await jittery(combination);
      const [server, close] = await unguarded(stored.store, sessionOptions(combination));
      expect(await play(server, 3 * AT_ONCE)).toBeGreaterThan(0);
      await close();
    });
  },
);
