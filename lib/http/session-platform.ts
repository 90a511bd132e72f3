import type { SessionSecurityRequest } from '../options/index.js';
import { cookiesOf } from './cookies.js';
import type { ResponseHeaders, SessionSecurityResponse } from './response-headers.js';

/** Middleware that reads the session of a request, such as what `session()` of express-session answers. */
export type SessionReader = (request: never, response: never, next: (error?: unknown) => void) => unknown;

/** A request's session as its session library keeps it. */
export interface RequestSession {
  readonly id: string;
  /** The blob; changes to it are saved by the library at the end of the request. */
  readonly data: Record<string, unknown>;
  /** Milliseconds the cookie lives, `null` for a cookie that ends with the browser. */
  readonly cookieMaxAge: number | null;
  /** Milliseconds for which the store keeps a session without an age of its own; `null` if that is not known. */
  readonly storeMaxAge: number | null;
  /** Attributes for a `Set-Cookie` that clears the cookie. */
  readonly cookie: { readonly path?: string; readonly domain?: string; readonly secure?: boolean };
}

/** Why a request has no session that can be watched. */
export type SessionAbsence =
  /** No session middleware ran before. */
  | 'missing'
  /** The session library keeps none for this address: the cookie's path is another. */
  | 'elsewhere'
  /** The store failed, or has disconnected. */
  | 'unreadable'
  /** It goes on under another id, whose cookie the request does not carry yet. */
  | 'moved'
  /** It has been {@link SessionPlatform.replace | replaced} or {@link SessionPlatform.letGo | let go}. */
  | 'loose'
  /** The session lives in the cookie itself, so nothing on the server can end it. */
  | 'irrevocable';

/** Browsers send one session cookie, and one for each path or domain that has had one. Each may be looked up in a store. */
const MOST_PRESENTED_IDS = 8;

/** A session id that came in a cookie. */
export interface PresentedId {
  readonly id: string;
  /** The id with its signature. */
  readonly signed: string;
  readonly cookieName: string;
}

/** A session id that is given up for another within a request. */
export interface GivenUpId {
  readonly sessionId: string;
  /** Which of its lives the request had read, if it was watched by then. */
  readonly life: number | undefined;
  /** There is something to go on under the other id; else it has ended meanwhile. */
  readonly isInUse: boolean;
}

/** Told of a session id that is given up for another within a request; `through` resolves when the other is there. */
export type RotationListener = (
  request: SessionSecurityRequest,
  givenUp: GivenUpId,
  through: Promise<void>,
) => void;

/** What to say of mistakes in how sessions are set up on a platform. */
export interface SetupAdvice {
  /** Nothing has put a session on the request. */
  readonly missing: string;
  /** Sessions live in their cookies. */
  readonly irrevocable: string;
}

/** How sessions, requests and responses are reached on one platform: Express with express-session, or Fastify with @fastify/session. */
export abstract class SessionPlatform {
  abstract readonly advice: SetupAdvice;

  /** The request's session, or why there is none. */
  abstract sessionOf(request: SessionSecurityRequest): RequestSession | SessionAbsence;

  /** Why the request's session is `unreadable`, as far as that is known. */
  abstract failureOf(request: SessionSecurityRequest): unknown;

  /** Puts a new anonymous session in the place of the request's ended one. */
  abstract renew(request: SessionSecurityRequest): void;

  /**
   * Puts an anonymous session in the place of the request's, for this request alone: it is never written, and the
   * browser keeps its cookie.
   *
   * @returns the id of the session before, if the request has proved to hold it.
   */
  abstract replace(request: SessionSecurityRequest): string | undefined;

  /** The request keeps its session, but writes neither it nor a cookie any more. */
  abstract letGo(request: SessionSecurityRequest): void;

  /** The session ids in the request's cookies, genuine or not: only good for saying what happened to a session. */
  abstract presentedIds(request: SessionSecurityRequest, cookieName: string | undefined): PresentedId[];

  /** Who is to be told when a request gives its session id up for another. */
  abstract onRotation(listener: RotationListener): void;

  /** Does the work before the response ends and the session is saved, which waits for it. */
  abstract beforeEnd(request: SessionSecurityRequest, work: () => Promise<void> | undefined): void;

  /** Calls back once when the response is over, sent or aborted; at once if it is over already. */
  abstract afterResponse(request: SessionSecurityRequest, callback: () => void): void;

  /** Did the request come by HTTPS, as far as the platform trusts the proxies before it? */
  abstract isSecure(request: SessionSecurityRequest): boolean;

  /** The path below which the application that answers is mounted in another; empty if it is not. */
  abstract mountOf(request: SessionSecurityRequest): string;

  /** The response to a request, where nothing else tells it. */
  abstract responseOf(request: SessionSecurityRequest): SessionSecurityResponse | undefined;

  /** Reads the session of a request that is upgraded to a socket; `undefined` where only the application knows how. */
  abstract sessionReader(cookieName: string | undefined): SessionReader | undefined;

  abstract headersOf(response: SessionSecurityResponse): ResponseHeaders;

  /** Sends the response with the headers that it has. */
  abstract finish(response: SessionSecurityResponse, status: number, content?: Buffer): void;
}

/** The session ids in a request's cookies. @param pattern how one looks, with the groups `id` and `signed` */
export function presentedIdsIn(
  request: SessionSecurityRequest,
  wanted: string | undefined,
  pattern: RegExp,
): PresentedId[] {
  return cookiesOf(request)
    .filter(([name]) => wanted === undefined || name === wanted)
    .flatMap(([cookieName, value]) => {
      const { id, signed } = pattern.exec(value)?.groups ?? {};
      return id === undefined || signed === undefined ? [] : [{ id, signed, cookieName }];
    })
    .slice(0, MOST_PRESENTED_IDS);
}
