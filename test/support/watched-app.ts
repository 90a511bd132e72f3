import 'reflect-metadata';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  type LoggerService,
  type ModuleMetadata,
  type Provider,
  Module,
  Post,
  Req,
  Res,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import session, { type SessionOptions, type Store } from 'express-session';
import request, { type Test as Call } from 'supertest';
import {
  AllowExpired,
  type SessionSecurityOptionsInput,
  Clock,
  OnSessionEnd,
  OnSessionExpire,
  OnSessionRenew,
  OnSessionStart,
  OnSessionWarn,
  Passive,
  SessionSecurityModule,
  SessionSecurityService,
} from '../../lib/index.js';
import type { AnySessionEvent } from '../../lib/events/session-event.js';
import { createApplication, dataOf, useSessions } from './adapters.js';
import { VirtualClock } from './virtual-clock.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- express-session's request is whatever the application makes of it. */

/** Keeps every event, as an application's own handlers see them. */
@Injectable()
export class EventLog {
  readonly events: AnySessionEvent[] = [];

  @OnSessionStart()
  started(event: AnySessionEvent): void {
    this.#keep(event);
  }

  @OnSessionWarn()
  warned(event: AnySessionEvent): void {
    this.#keep(event);
  }

  @OnSessionRenew()
  renewed(event: AnySessionEvent): void {
    this.#keep(event);
  }

  @OnSessionExpire()
  expired(event: AnySessionEvent): void {
    this.#keep(event);
  }

  @OnSessionEnd()
  ended(event: AnySessionEvent): void {
    this.#keep(event);
  }

  of(kind: AnySessionEvent['kind']): any[] {
    return this.events.filter((event) => event.kind === kind);
  }

  #keep(event: AnySessionEvent): void {
    this.events.push(event);
  }
}

/** The routes that the suites need, as a small application would write them. */
@Controller()
export class DeskController {
  constructor(private readonly security: SessionSecurityService) {}

  @AllowExpired()
  @Post('login')
  async login(
    @Req() request: any,
    @Body() body: { user?: string; regenerate?: boolean },
  ): Promise<{ user: string }> {
    const user = body.user ?? 'anna';
    if (body.regenerate !== false) {
      await promisify<void>((done) => request.session.regenerate(done))();
    }
    request.session.user = { id: user };
    return { user };
  }

  @AllowExpired()
  @Get('login')
  loginPage(@Req() request: any, @Res({ passthrough: true }) response: any): { notice: string | null } {
    return { notice: this.security.takeNotice(request, response) ?? null };
  }

  @Post('logout')
  async logout(@Req() request: any): Promise<object> {
    await new Promise((resolve) => request.session.destroy(resolve));
    return {};
  }

  @Post('forget')
  forget(@Req() request: any): object {
    delete request.session.user;
    return {};
  }

  @Post('rotate')
  async rotate(@Req() request: any): Promise<object> {
    const data = dataOf(request.session);
    await new Promise((resolve) => request.session.regenerate(resolve));
    Object.assign(request.session, data);
    return {};
  }

  @Get('whoami')
  whoami(@Req() request: any): { user: string | null } {
    return { user: request.session?.user?.id ?? null };
  }

  @Post('whoami')
  postWhoami(@Req() request: any): { user: string | null } {
    return this.whoami(request);
  }

  @Post('write')
  write(@Req() request: any, @Body() body: Record<string, unknown>): object {
    Object.assign(request.session, body);
    return {};
  }

  @Get('status')
  @Passive()
  async status(@Req() request: any): Promise<object> {
    return this.security.status(request);
  }

  @Passive()
  @Get('poll')
  poll(@Req() request: any): { user: string | null } {
    return this.whoami(request);
  }

  @Get('tag')
  tag(@Req() request: any): { tag: string } {
    return { tag: this.security.clientTag(request, { nonce: 'n"1' }) };
  }
}

/** What the module said, by level. */
export class Messages implements LoggerService {
  readonly lines: { level: string; message: string }[] = [];
  log = (message: unknown): void => this.#keep('log', message);
  warn = (message: unknown): void => this.#keep('warn', message);
  error = (message: unknown): void => this.#keep('error', message);

  matching(pattern: RegExp): string[] {
    return this.lines.map(({ message }) => message).filter((message) => pattern.test(message));
  }

  #keep(level: string, message: unknown): void {
    this.lines.push({ level, message: String(message) });
  }
}

export interface WatchedAppOptions {
  readonly security?: SessionSecurityOptionsInput;
  readonly session?: Partial<SessionOptions>;
  readonly store?: Store;
  readonly imports?: ModuleMetadata['imports'];
  readonly controllers?: Type[];
  readonly providers?: Provider[];
  readonly clock?: VirtualClock;
  /** Changes the application before it is initialised; `useSession` registers the session middleware. */
  readonly configure?: (app: INestApplication, useSession: () => void) => void | Promise<void>;
  readonly bodyParser?: boolean;
}

/** A running application that is watched, on a virtual clock. W = 5 and E = 10 unless told otherwise. */
export class WatchedApp {
  private constructor(
    readonly app: INestApplication,
    readonly clock: VirtualClock,
    readonly log: EventLog,
    readonly messages: Messages,
    readonly store: Store,
  ) {}

  static async start(options: WatchedAppOptions = {}): Promise<WatchedApp> {
    const clock = options.clock ?? new VirtualClock();
    const store = options.store ?? new session.MemoryStore();
    const messages = new Messages();

    @Module({
      imports: [
        SessionSecurityModule.forRoot({ warnAfter: 5, expireAfter: 10, ...options.security }),
        ...(options.imports ?? []),
      ],
      controllers: [DeskController, ...(options.controllers ?? [])],
      providers: [EventLog, ...(options.providers ?? [])],
    })
    class AppModule {}

    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Clock)
      .useValue(clock)
      .setLogger(messages)
      .compile();
    const app = createApplication(testing, { logger: messages, bodyParser: options.bodyParser ?? true });
    const useSession = (): void => useSessions(app, store, options.session);
    if (options.configure) await options.configure(app, useSession);
    else useSession();
    await app.listen(0, '127.0.0.1');
    return new WatchedApp(app, clock, app.get(EventLog), messages, store);
  }

  /** A browser with cookies of its own. */
  browser(): Browser {
    return new Browser(this.app);
  }

  /** A browser in which somebody has signed in. */
  async signedIn(user = 'anna'): Promise<Browser> {
    const browser = this.browser();
    await browser.post('/login', { user }).expect(201);
    return browser;
  }

  /** What stands in the session store, by key. */
  stored(): Record<string, any> {
    const { sessions } = this.store as unknown as { sessions: Record<string, string> };
    return Object.fromEntries(Object.entries(sessions).map(([key, text]) => [key, JSON.parse(text)]));
  }

  get security(): SessionSecurityService {
    return this.app.get(SessionSecurityService);
  }

  /** Changes what stands in the store behind the module's back: the records… */
  async changeRecord(change: (record: any) => void): Promise<void> {
    await this.replaceRecords((record) => {
      change(record);
      return record;
    });
  }

  async replaceRecords(replace: (record: any) => unknown): Promise<void> {
    for (const [key, entry] of this.#entries(true)) {
      await this.#set(key, { ...entry, sessionSecurity: replace(entry['sessionSecurity']) });
    }
  }

  async dropRecords(): Promise<void> {
    for (const [key] of this.#entries(true)) await new Promise((resolve) => this.store.destroy(key, resolve));
  }

  /** …and the sessions themselves. */
  async changeSessions(change: (data: any) => void): Promise<void> {
    for (const [key, entry] of this.#entries(false)) {
      change(entry);
      await this.#set(key, entry);
    }
  }

  #entries(records: boolean): [string, Record<string, any>][] {
    return Object.entries(this.stored()).filter(([key]) => key.startsWith('session-security-') === records);
  }

  #set(key: string, entry: object): Promise<unknown> {
    return new Promise((resolve) => this.store.set(key, entry as session.SessionData, resolve));
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

/** Keeps cookies, sends them, and shows them. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(private app: Pick<INestApplication, 'getHttpServer'>) {}

  /** Goes on with the same cookies at another server: the application was restarted. */
  moveTo({ app }: { readonly app: Pick<INestApplication, 'getHttpServer'> }): this {
    this.app = app;
    return this;
  }

  /** The id of its session, which its cookie carries. */
  get sessionId(): string {
    return /^(?:s:)?(.+)\./.exec(decodeURIComponent(this.cookies.get('connect.sid')!))![1]!;
  }

  /** Another that has the same cookies now: a request on its way, a stolen cookie. */
  copy(): Browser {
    const copy = new Browser(this.app);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  get(path: string): Call {
    return this.#send('get', path);
  }

  head(path: string): Call {
    return this.#send('head', path);
  }

  options(path: string): Call {
    return this.#send('options', path);
  }

  post(path: string, body?: object): Call {
    return this.#send('post', path).send(body);
  }

  /** A body that is sent bit by bit. */
  upload(path: string): { write(text: string): void; end(text: string): void; answer: Promise<any> } {
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    const headers = { Cookie: this.cookieHeader, 'Content-Type': 'application/octet-stream' };
    const call = httpRequest({ port, host: '127.0.0.1', path, method: 'POST', headers });
    const answer = once(call, 'response').then(([response]: IncomingMessage[]) => json(response!));
    return { write: (text) => void call.write(text), end: (text) => void call.end(text), answer };
  }

  /** All cookies, as a browser sends them. */
  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #send(method: 'get' | 'head' | 'options' | 'post', path: string): Call {
    const call = request(this.app.getHttpServer())[method](path);
    const cookies = this.cookieHeader;
    if (cookies) void call.set('Cookie', cookies);
    return call.on('response', (response) => {
      for (const line of (response.headers['set-cookie'] ?? []) as string[]) this.#keep(line);
    });
  }

  #keep(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
    if (/expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name!);
    else this.cookies.set(name!, value!);
  }

  ping(body?: object): Call {
    return this.post('/session-security/ping', body);
  }

  /** The user whom the server sees; counts as activity. */
  async user(): Promise<string | null> {
    return (await this.get('/whoami').expect(200)).body.user;
  }

  /** The state that the server tells; moves nothing. */
  async state(): Promise<any> {
    return (await this.get('/session-security/ping').expect(200)).body;
  }
}
