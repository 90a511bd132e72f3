import { Injectable } from '@nestjs/common';
import { failureOf } from '../../activity/store-calls.js';
import type { SessionSecurityRequest } from '../../options/index.js';
import { type ExpressSessionStore, SessionGate } from '../gate/session-gate.js';
import { maxAgeIn } from '../gate/store-max-age.js';
import { errorOf, withheld, withholdingOf } from '../gate/withheld-session.js';
import type { ResponseHeaders } from '../response-headers.js';
import {
  type PresentedId,
  presentedIdsIn,
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
} from '../session-platform.js';

/** A request as Express and express-session leave it. */
export interface ExpressSessionRequest extends SessionSecurityRequest {
  session?: (Record<string, unknown> & { cookie?: ExpressSessionCookie }) | undefined;
  sessionID?: string | undefined;
  sessionStore?: GeneratingStore | undefined;
  res?: ResponseHeaders & {
    readonly destroyed?: boolean;
    end(...given: unknown[]): unknown;
    once(event: 'close', callback: () => void): unknown;
  };
  readonly secure?: boolean;
  readonly baseUrl?: string;
}

interface ExpressResponse extends ResponseHeaders {
  statusCode: number;
  end(content?: Buffer): unknown;
}

type GeneratingStore = ExpressSessionStore & { generate?(request: SessionSecurityRequest): void };

interface ExpressSessionCookie {
  originalMaxAge?: number | null;
  path?: string;
  domain?: string;
  secure?: boolean;
}

/** `s:<id>.<signature>`, as cookie-signature makes it. */
const SIGNED = /^s:(?<signed>(?<id>.+)\.[^.]*)$/;

/** Sessions of express-session, on Express. */
@Injectable()
export class ExpressSessionPlatform extends SessionPlatform {
  /** Sessions that exist for their request alone. */
  readonly #loose = new WeakSet<object>();

  readonly advice = {
    missing:
      'No session middleware has run before the guard, so nothing is watched. Add app.use(session({ ... })) ' +
      'of express-session in main.ts, after NestFactory.create() and before app.listen() or app.init().',
    irrevocable:
      'Sessions are kept in the cookie itself (cookie-session), so the server cannot end one. ' +
      'Use express-session with a store on the server.',
  };

  constructor(private readonly gate: SessionGate) {
    super();
  }

  /** The first call for a store begins to guard it. */
  sessionOf(request: ExpressSessionRequest): RequestSession | SessionAbsence {
    const { session, sessionID, sessionStore } = request;
    if (!session) return this.gate.isDisconnected ? 'unreadable' : 'missing';
    const withholding = withholdingOf(session);
    if (withholding) return withholding;
    if (this.#loose.has(session)) return 'loose';
    if (sessionID === undefined || !sessionStore) return 'irrevocable';
    this.gate.guard(sessionStore);
    const cookie = session.cookie ?? {};
    return {
      id: sessionID,
      data: session,
      cookieMaxAge: cookie.originalMaxAge ?? null,
      storeMaxAge: maxAgeIn(sessionStore),
      cookie,
    };
  }

  /**
   * Takes note that the session library has handed an error on instead of the request's session.
   *
   * @returns whether it was that; else the error is somebody else's.
   */
  couldNotRead(request: ExpressSessionRequest, error: unknown): boolean {
    const { session, sessionID, sessionStore } = request;
    if (session || !sessionStore) return false;
    this.gate.guard(sessionStore);
    request.session = withheld('unreadable', failureOf(error, sessionID));
    return true;
  }

  failureOf({ session }: ExpressSessionRequest): unknown {
    return session && errorOf(session);
  }

  renew(request: ExpressSessionRequest): void {
    request.sessionStore?.generate?.(request);
  }

  replace(request: ExpressSessionRequest): string | undefined {
    const { sessionID } = request;
    // A store that has disconnected is not on the request.
    request.sessionStore ??= this.gate.store;
    this.renew(request);
    this.letGo(request);
    return sessionID;
  }

  /** Without an id on the request express-session writes neither the session nor a cookie. */
  letGo(request: ExpressSessionRequest): void {
    request.sessionID = undefined;
    if (request.session) this.#loose.add(request.session);
  }

  presentedIds(request: SessionSecurityRequest, wanted: string | undefined): PresentedId[] {
    return presentedIdsIn(request, wanted, SIGNED);
  }

  onRotation(listener: RotationListener): void {
    this.gate.onRotation = listener;
  }

  beforeEnd({ res: response }: ExpressSessionRequest, work: () => Promise<void> | undefined): void {
    if (!response) return;
    const end = response.end.bind(response);
    let working = false;
    response.end = (...given) => {
      if (working) return end(...given);
      working = true;
      const done = work();
      if (!done) return end(...given);
      void done.then(() => end(...given));
      return response;
    };
  }

  afterResponse(request: ExpressSessionRequest, callback: () => void): void {
    if (request.res?.destroyed) callback();
    else request.res?.once('close', callback);
  }

  isSecure({ secure }: ExpressSessionRequest): boolean {
    return secure === true;
  }

  mountOf({ baseUrl = '' }: ExpressSessionRequest): string {
    return baseUrl;
  }

  /** Its middleware has the keys to the cookies, and is not to be found. */
  sessionReader(): undefined {
    return undefined;
  }

  responseOf({ res }: ExpressSessionRequest): ResponseHeaders | undefined {
    return res;
  }

  headersOf(response: ResponseHeaders): ResponseHeaders {
    return response;
  }

  finish(response: ExpressResponse, status: number, content?: Buffer): void {
    response.statusCode = status;
    response.end(content);
  }
}
