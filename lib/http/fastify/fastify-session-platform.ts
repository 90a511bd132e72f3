import { Injectable } from '@nestjs/common';
import type { SessionSecurityRequest } from '../../options/index.js';
import { type ExpressSessionStore, SessionGate } from '../gate/session-gate.js';
import { maxAgeIn } from '../gate/store-max-age.js';
import { dateRequest, noteReading, takeDate } from '../gate/unjudged-readings.js';
import { errorOf, withholdingOf } from '../gate/withheld-session.js';
import type { FastifyResponse, ResponseHeaders } from '../response-headers.js';
import {
  type PresentedId,
  presentedIdsIn,
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
} from '../session-platform.js';
import { FastifyReplyHeaders } from './fastify-reply-headers.js';

const REPLY = Symbol('session-security-reply');

/** A request as Fastify and @fastify/session leave it. */
export interface FastifySessionRequest extends SessionSecurityRequest {
  readonly protocol?: string;
  /** `null` once it has been destroyed; without a session id where the path is not the cookie's. */
  session?: FastifySession | null;
  readonly sessionStore?: ExpressSessionStore | undefined;
  /** The instance of Fastify that the request's route belongs to. */
  readonly server?: FastifySessionServer | undefined;
  /** Fastify tells a reply of its request, but not a request of its reply. */
  [REPLY]?: FastifySessionReply;
}

interface FastifySession extends Record<string, unknown> {
  readonly sessionId?: string;
  readonly cookie?: FastifySessionCookie;
  /** With a callback last, or answering a promise. */
  regenerate?(...given: unknown[]): unknown;
  isModified?(): boolean;
}

interface FastifySessionCookie {
  originalMaxAge?: number | null;
  path?: string;
  domain?: string | null;
  secure?: boolean | null;
}

export interface FastifySessionServer {
  decryptSession?(cookie: string, request: object, done: (error?: unknown) => void): void;
}

export interface FastifySessionReply extends FastifyResponse {
  readonly raw: ResponseHeaders & {
    readonly destroyed?: boolean;
    once(event: 'close', callback: () => void): unknown;
  };
  code(status: number): { send(content?: unknown): unknown };
}

/** `<id>.<signature>`, and whoever comes from Express may keep its prefix. The plugin signs with SHA-1 at least. */
const SIGNED = /^(?:s:)?(?<signed>(?<id>.+)\.[A-Za-z\d+/]{27,})$/;

const STORE_UNKNOWN =
  'no request has shown yet where sessions are kept; with the option sessionStore it is known from the start';

/** Sessions of @fastify/session, on Fastify. */
@Injectable()
export class FastifySessionPlatform extends SessionPlatform {
  /** Sessions that exist for their request alone. */
  readonly #loose = new WeakSet<object>();
  #server: FastifySessionServer | undefined;

  readonly advice = {
    missing:
      'No session plugin has been registered with the application, so nothing is watched. Add await app.register(cookie) and ' +
      'await app.register(session, { ... }) of @fastify/cookie and @fastify/session in main.ts, after NestFactory.create() ' +
      'and before app.listen() or app.init(), and not within another plugin.',
    irrevocable:
      'Sessions are kept in the cookie itself (@fastify/secure-session), or by a plugin that is not known, so the server cannot ' +
      'end one. Use @fastify/session with a store on the server.',
  };

  constructor(private readonly gate: SessionGate) {
    super();
  }

  /**
   * Begins to guard the store, before the session plugin reads from it: the plugin answers 500 for what fails there, and
   * gives out what the gate would not.
   */
  guardStore(request: FastifySessionRequest): void {
    const { sessionStore } = request;
    if (!sessionStore) return;
    this.gate.guard(sessionStore);
    dateRequest(request, this.gate.reading);
  }

  /** Whose requests these are: those that are upgraded to sockets are not told. */
  serve(server: FastifySessionServer): void {
    this.#server = server;
  }

  /**
   * Takes note, for the gate, of when the request's session was read: the plugin has made an object of its own of what the
   * gate gave out. Once, before the session is judged or, if a hook of the application sends the reply, written.
   */
  dateReading(request: FastifySessionRequest): void {
    const reading = takeDate(request);
    if (reading !== undefined && request.session) noteReading(request.session, reading);
  }

  /** Sees to it that a session id which is given up for another is not taken for a sign-out. */
  prepare(request: FastifySessionRequest, reply: FastifySessionReply): void {
    request[REPLY] = reply;
    const { session } = request;
    if (!session?.regenerate || Object.hasOwn(session, 'regenerate')) return;
    const regenerate = session.regenerate.bind(session);
    const rotate = (...given: unknown[]): unknown => {
      let arrive: () => void;
      const through = new Promise<void>((resolve) => (arrive = resolve));
      const arrived = (): void => {
        this.prepare(request, reply);
        // A turn later, the application has taken the session's data along, or has not.
        setImmediate(arrive);
      };
      const own = this.#loose.has(session) ? undefined : session.sessionId;
      return this.gate.regenerate(request, own, through, () => {
        const callback = given.at(-1);
        if (typeof callback !== 'function') return (regenerate(...given) as Promise<void>).finally(arrived);
        return regenerate(...given.slice(0, -1), (...answer: unknown[]) => {
          arrived();
          (callback as (...answer: unknown[]) => void)(...answer);
        });
      });
    };
    // Not enumerable: what can be enumerated is the session's data.
    Object.defineProperty(session, 'regenerate', { value: rotate, configurable: true, writable: true });
  }

  sessionOf({ session, sessionStore }: FastifySessionRequest): RequestSession | SessionAbsence {
    if (!session) return 'missing';
    const withholding = withholdingOf(session);
    if (withholding) return withholding;
    if (this.#loose.has(session)) return 'loose';
    if (!sessionStore) return 'irrevocable';
    const { sessionId, cookie = {} } = session;
    if (sessionId === undefined) return 'elsewhere';
    const { originalMaxAge = null, path, domain, secure } = cookie;
    return {
      id: sessionId,
      data: session,
      cookieMaxAge: originalMaxAge,
      storeMaxAge: maxAgeIn(sessionStore),
      cookie: { ...(path && { path }), ...(domain && { domain }), ...(secure && { secure }) },
    };
  }

  failureOf({ session }: FastifySessionRequest): unknown {
    return session && errorOf(session);
  }

  /** For a cookie that is none of its own, the plugin makes a new session at once. */
  renew(request: FastifySessionRequest): void {
    request.server?.decryptSession?.('', request, () => undefined);
  }

  replace(request: FastifySessionRequest): string | undefined {
    const { session } = request;
    this.renew(request);
    this.letGo(request);
    return session?.sessionId;
  }

  /** Without the signed id the plugin writes neither the session nor a cookie. */
  letGo({ session }: FastifySessionRequest): void {
    if (!session) return;
    this.#loose.add(session);
    Object.defineProperty(session, 'encryptedSessionId', { value: undefined, configurable: true });
  }

  /** The cookie of an ended session is kept, which says why it ended, unless there is something else to remember. */
  keepCookie(request: FastifySessionRequest): void {
    if (request.session?.isModified?.() === false) this.letGo(request);
  }

  presentedIds(request: SessionSecurityRequest, wanted: string | undefined): PresentedId[] {
    return presentedIdsIn(request, wanted, SIGNED);
  }

  onRotation(listener: RotationListener): void {
    this.gate.onRotation = listener;
  }

  /** The module's own hook settles before each reply to a request that has given its session id up. */
  beforeEnd(): void {
    // Nothing is left to be done.
  }

  afterResponse(request: FastifySessionRequest, callback: () => void): void {
    const response = request[REPLY]?.raw;
    if (response?.destroyed) callback();
    else response?.once('close', callback);
  }

  isSecure({ protocol }: FastifySessionRequest): boolean {
    return protocol === 'https';
  }

  /** Fastify mounts no application in another. */
  mountOf(): string {
    return '';
  }

  responseOf(request: FastifySessionRequest): FastifySessionReply | undefined {
    return request[REPLY];
  }

  /** By the plugin's own method for requests that pass none of its hooks; it looks at the signature. */
  sessionReader(cookieName: string | undefined) {
    return (request: FastifySessionRequest, _response: unknown, next: (error?: unknown) => void): void => {
      // A request of Fastify's own, which has been read.
      if (request.sessionStore) return next();
      const server = this.#server;
      const { store } = this.gate;
      if (!server?.decryptSession) return next(new Error(this.advice.missing));
      if (!store) return next(new Error(STORE_UNKNOWN));
      Object.assign(request, { server, sessionStore: store });
      this.#readSigned(server, request, this.presentedIds(request, cookieName), next);
    };
  }

  /** The first of the cookies that has a session. */
  #readSigned(
    server: FastifySessionServer,
    request: FastifySessionRequest,
    [presented, ...others]: PresentedId[],
    next: (error?: unknown) => void,
  ): void {
    server.decryptSession?.(presented?.signed ?? '', request, (error) => {
      if (error || !presented || request.session?.sessionId === presented.id) next(error);
      else this.#readSigned(server, request, others, next);
    });
  }

  headersOf(response: FastifySessionReply): ResponseHeaders {
    return new FastifyReplyHeaders(response);
  }

  finish(response: FastifySessionReply, status: number, content?: Buffer): void {
    response.code(status).send(content);
  }
}
