import { Injectable } from '@nestjs/common';
import type { SessionSecurityRequest } from '../../options/index.js';
import { cookiesOf } from '../cookies.js';
import { type ExpressSessionStore, SessionGate } from '../gate/session-gate.js';
import { maxAgeIn } from '../gate/store-max-age.js';
import { errorOf, isUnreadable } from '../gate/unreadable-session.js';
import type { FastifyResponse, ResponseHeaders } from '../response-headers.js';
import {
  MOST_PRESENTED_IDS,
  type PresentedId,
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
} from '../session-platform.js';
import { FastifyReplyHeaders } from './fastify-reply-headers.js';

/** A request as Fastify and @fastify/session leave it. */
export interface FastifySessionRequest extends SessionSecurityRequest {
  readonly protocol?: string;
  /** `null` once it has been destroyed; without a session id where the path is not the cookie's. */
  session?: FastifySession | null;
  readonly sessionStore?: ExpressSessionStore;
  /** The instance of Fastify that the request's route belongs to. */
  readonly server?: FastifySessionServer;
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

interface FastifySessionServer {
  decryptSession?(cookie: string, request: object, done: () => void): void;
}

export interface FastifySessionReply extends FastifyResponse {
  readonly raw: ResponseHeaders & {
    readonly destroyed?: boolean;
    once(event: 'close', callback: () => void): unknown;
  };
  code(status: number): { send(content?: unknown): unknown };
}

/** `<id>.<signature>`, and whoever comes from Express may keep its prefix. The plugin signs with SHA-1 at least. */
const SIGNED = /^(?:s:)?(.+)\.[A-Za-z\d+/]{27,}$/;

/** Sessions of @fastify/session, on Fastify. */
@Injectable()
export class FastifySessionPlatform extends SessionPlatform {
  /** Sessions that exist for their request alone. */
  readonly #loose = new WeakSet<object>();
  /** Replies of the requests that gave their session id up. */
  readonly #replies = new WeakMap<object, FastifySessionReply>();

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
  guardStore({ sessionStore }: FastifySessionRequest): void {
    if (sessionStore) this.gate.guard(sessionStore);
  }

  /** Sees to it that a session id which is given up for another is not taken for a sign-out. */
  prepare(request: FastifySessionRequest, reply: FastifySessionReply): void {
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
      this.#replies.set(request, reply);
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
    if (isUnreadable(session)) return 'unreadable';
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
    return cookiesOf(request)
      .filter(([name]) => wanted === undefined || name === wanted)
      .flatMap(([cookieName, value]) => {
        const id = SIGNED.exec(value)?.[1];
        return id === undefined ? [] : [{ id, cookieName }];
      })
      .slice(0, MOST_PRESENTED_IDS);
  }

  onRotation(listener: RotationListener): void {
    this.gate.onRotation = listener;
  }

  afterResponse(request: FastifySessionRequest, callback: () => void): void {
    const response = this.#replies.get(request)?.raw;
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

  headersOf(response: FastifySessionReply): ResponseHeaders {
    return new FastifyReplyHeaders(response);
  }

  finish(response: FastifySessionReply, status: number, content?: Buffer): void {
    response.code(status).send(content);
  }
}
