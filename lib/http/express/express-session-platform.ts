import { Injectable } from '@nestjs/common';
import type { SessionSecurityRequest } from '../../options/index.js';
import { cookiesOf } from '../cookies.js';
import {
  type PresentedId,
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
} from '../session-platform.js';
import { type ExpressSessionStore, SessionGate } from './session-gate.js';
import { errorOf, isUnreadable, unreadable } from './unreadable-session.js';

/** A request as express-session leaves it. */
interface ExpressSessionRequest extends SessionSecurityRequest {
  session?: (Record<string, unknown> & { cookie?: ExpressSessionCookie }) | undefined;
  sessionID?: string | undefined;
  sessionStore?: GeneratingStore | undefined;
  res?: { readonly destroyed?: boolean; once(event: 'close', callback: () => void): unknown };
}

/** Browsers send one session cookie, and one for each path or domain that has had one. Each may be looked up in a store. */
const MOST_PRESENTED_IDS = 8;

type GeneratingStore = ExpressSessionStore & { generate?(request: SessionSecurityRequest): void };

interface ExpressSessionCookie {
  originalMaxAge?: number | null;
  path?: string;
  domain?: string;
  secure?: boolean;
}

/** Sessions of express-session, on Express. */
@Injectable()
export class ExpressSessionPlatform extends SessionPlatform {
  /** Sessions that exist for their request alone. */
  readonly #loose = new WeakSet<object>();

  constructor(private readonly gate: SessionGate) {
    super();
  }

  sessionOf(request: ExpressSessionRequest): RequestSession | SessionAbsence {
    const { session, sessionID, sessionStore } = request;
    if (!session) return this.gate.isDisconnected ? 'unreadable' : 'missing';
    if (isUnreadable(session)) return 'unreadable';
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

  couldNotRead(request: ExpressSessionRequest, error: unknown): boolean {
    const { session, sessionStore } = request;
    if (session || !sessionStore) return false;
    this.gate.guard(sessionStore);
    request.session = unreadable(error);
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
    return cookiesOf(request)
      .filter(([name]) => wanted === undefined || name === wanted)
      .flatMap(([cookieName, value]) => {
        const id = /^s:(.+)\.[^.]*$/.exec(value)?.[1];
        return id === undefined ? [] : [{ id, cookieName }];
      })
      .slice(0, MOST_PRESENTED_IDS);
  }

  onRotation(listener: RotationListener): void {
    this.gate.onRotation = listener;
  }

  afterResponse(request: ExpressSessionRequest, callback: () => void): void {
    if (request.res?.destroyed) callback();
    else request.res?.once('close', callback);
  }
}

/** Milliseconds for which the well-known stores keep a session whose cookie has no age of its own, `null` if not known. */
function maxAgeIn(
  store: ExpressSessionStore & { ttl?: unknown; options?: { ttl?: unknown } },
): number | null {
  const seconds = store.ttl ?? store.options?.ttl;
  return typeof seconds === 'number' ? seconds * 1000 : null;
}
