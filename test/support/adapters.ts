import { it } from '@jest/globals';
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { TestingModule } from '@nestjs/testing';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express, { type Request, type Response } from 'express';
import type { FastifyInstance } from 'fastify';
import type { SessionReader } from '../../lib/index.js';
import expressSession, { type SessionOptions, type Store } from 'express-session';

declare global {
  /** Set by the project of jest.config.mjs. */
  var httpAdapter: 'express' | 'fastify' | undefined;
}

/** The adapter of this run: the same specs run on Express and on Fastify. */
export const ADAPTER = globalThis.httpAdapter ?? 'express';

/** A test of what Fastify does not have: other middleware, applications mounted in one another, a store that disconnects. */
export const onExpress = ADAPTER === 'express' ? it : withoutTest();

/** A test of what Express does otherwise. */
export const onFastify = ADAPTER === 'fastify' ? it : withoutTest();

/** What cookies of sessions are signed with. */
export const SECRET = 'for tests only, and longer than 32';

/** A session as the application fills it; the libraries' own types know nothing of that. */
type EarlySession = { secret?: string; user?: { id: string }; save?(callback: () => void): unknown };

/** What a test's own handlers see of a request, before any controller. */
export interface EarlyRequest {
  readonly method: string;
  readonly session?: EarlySession | undefined;
}

export function createApplication(testing: TestingModule, options: NestApplicationOptions): INestApplication {
  if (ADAPTER === 'express') return testing.createNestApplication(options);
  const adapter = fastifyAdapter();
  // As Express does with a body of a kind for which there is no parser: it is left to the handler.
  adapter.getInstance().addContentTypeParser('application/octet-stream', (_, __, done) => done(null));
  return testing.createNestApplication<NestFastifyApplication>(adapter, options);
}

/** Fastify before 5.5, with which Nest 11 began, takes no notice of options of its router that stand for themselves. */
function fastifyAdapter(): FastifyAdapter {
  const routerOptions = { ignoreTrailingSlash: true };
  const adapter = new FastifyAdapter({ trustProxy: true, routerOptions });
  const isHeeded = 'routerOptions' in adapter.getInstance().initialConfig;
  return isHeeded ? adapter : new FastifyAdapter({ trustProxy: true, ...routerOptions });
}

/** Registers the session library, set up on either in the same way. */
export function useSessions(
  app: INestApplication,
  store: Store,
  options: Partial<SessionOptions> = {},
): void {
  if (ADAPTER === 'express') useExpressSessions(app, store, options);
  else useFastifySessions(app as NestFastifyApplication, store, options);
}

export function useExpressSessions(
  app: { use(handler: unknown): unknown },
  store: Store,
  options: Partial<SessionOptions>,
): void {
  app.use(expressSession({ secret: SECRET, resave: false, saveUninitialized: false, store, ...options }));
}

/** What reads the sessions of sockets, which pass no middleware; on Fastify the module knows by itself. */
export function socketReader(store: Store): SessionReader | undefined {
  if (ADAPTER === 'fastify') return undefined;
  return expressSession({ secret: SECRET, resave: false, saveUninitialized: false, store }) as SessionReader;
}

export function useFastifySessions(
  fastify: Pick<NestFastifyApplication, 'register'> | FastifyInstance,
  store: Store,
  options: Partial<SessionOptions>,
): void {
  const { resave = false, rolling = false, saveUninitialized = false, cookie: attributes } = options;
  const register = fastify.register.bind(fastify) as FastifyInstance['register'];
  void register(cookie);
  void register(session, {
    secret: SECRET,
    store,
    cookieName: 'connect.sid',
    saveUninitialized,
    // Both write a session that has not changed; the plugin has one word for them.
    rolling: resave || rolling,
    cookie: { secure: false, ...(attributes as object) },
  });
}

/** A handler that no controller knows of. */
export function serveRaw(
  app: INestApplication,
  path: string,
  handler: (request: EarlyRequest) => object,
): void {
  if (ADAPTER === 'express')
    app.use(path, (request: Request, response: Response) => void response.json(handler(early(request))));
  else fastifyOf(app).get(path, (request) => Promise.resolve(handler(early(request))));
}

/** As {@link serveRaw}, for a handler that takes its time and is handed the request itself. */
export function serveRawSlowly<RawRequest>(
  app: INestApplication,
  path: string,
  handler: (request: RawRequest) => Promise<object>,
): void {
  if (ADAPTER === 'express') {
    app.use(path, (request: Request, response: Response, next: (error?: unknown) => void) => {
      void handler(request as RawRequest).then((answer) => response.json(answer), next);
    });
  } else fastifyOf(app).post(path, (request) => handler(request as RawRequest));
}

/** What the application does with requests before the module sees them: it hands them on, or answers nothing and ends them. */
export function interceptEarly(
  app: INestApplication,
  intercept: (request: EarlyRequest & { readonly url: string }) => Promise<'hand on' | 'end'>,
): void {
  if (ADAPTER === 'express') {
    app.use((request: Request, response: Response, next: () => void) => {
      const { url, method, session } = request as Request & { session?: EarlySession };
      void intercept({ url, method, session }).then((then) => (then === 'end' ? response.end('') : next()));
    });
    return;
  }
  fastifyOf(app).addHook('onRequest', async (request, reply) => {
    const { url, method, session } = request as typeof request & { session?: EarlySession };
    if ((await intercept({ url, method, session })) === 'end') await reply.send('');
  });
}

/** What stands before the handlers of an address, and may refuse with a status. */
export function refuseBefore(
  app: INestApplication,
  path: string,
  check: (request: EarlyRequest) => number | undefined,
): void {
  if (ADAPTER === 'express') {
    app.use(path, (request: Request, response: Response, next: () => void) => {
      const status = check(early(request));
      if (status === undefined) next();
      else response.status(status).end();
    });
    return;
  }
  fastifyOf(app).addHook('preHandler', async (request, reply) => {
    const status = request.url === path ? check(early(request)) : undefined;
    if (status !== undefined) await reply.code(status).send();
  });
}

/** The application reads bodies in its own way, and leaves those of pings as they are. */
export function readBodiesAs(app: INestApplication, kind: 'buffer' | 'string'): void {
  if (ADAPTER === 'express') {
    app.use(
      '/session-security',
      kind === 'buffer' ? express.raw({ type: '*/*' }) : express.text({ type: '*/*' }),
    );
    app.use(express.json());
    return;
  }
  const isPing = (url?: string): boolean => url?.startsWith('/session-security') ?? false;
  fastifyOf(app).addContentTypeParser('application/json', { parseAs: kind }, (request, body, done) =>
    done(null, isPing(request.url) ? body : JSON.parse(String(body))),
  );
}

/** Whoever says `X-Forwarded-Proto: https` is believed. */
export function trustProxies(app: INestApplication): void {
  if (ADAPTER === 'express') (app as NestExpressApplication).set('trust proxy', true);
}

/** The cookie of a session, as the session library signs it. */
export function cookieOf(signedId: string): string {
  return encodeURIComponent(ADAPTER === 'express' ? `s:${signedId}` : signedId);
}

/** Node's own request or response. */
export function rawOf<Message extends object>(message: object): Message {
  return ((message as { raw?: Message }).raw ?? message) as Message;
}

/** What stands in a session, without its cookie and what its library keeps there under symbols. */
export function dataOf(data: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'cookie'));
}

function early({ method, session: data }: { method: string; session: unknown }): EarlyRequest {
  return { method, session: data as EarlySession | undefined };
}

function fastifyOf(app: INestApplication) {
  return (app as NestFastifyApplication).getHttpAdapter().getInstance();
}

function withoutTest(): typeof it {
  const nothing = (() => undefined) as unknown as typeof it;
  nothing.each = (() => nothing) as unknown as typeof it.each;
  return nothing;
}
