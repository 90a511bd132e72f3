import { Injectable } from '@nestjs/common';
import type { SessionStore } from '../../activity/stores/express-session-activity-store.js';
import type { SessionSecurityRequest } from '../../options/index.js';
import { cookiesOf } from '../cookies.js';
import {
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
} from '../session-platform.js';
import { SessionGate } from './session-gate.js';

/** A request as express-session leaves it. */
interface ExpressSessionRequest extends SessionSecurityRequest {
  session?: Record<string, unknown> & { cookie?: ExpressSessionCookie };
  sessionID?: string;
  sessionStore?: SessionStore & { generate(request: SessionSecurityRequest): void };
  res?: { once(event: 'close', callback: () => void): unknown };
}

interface ExpressSessionCookie {
  originalMaxAge?: number | null;
  path?: string;
  domain?: string;
  secure?: boolean;
}

/** Sessions of express-session, on Express. */
@Injectable()
export class ExpressSessionPlatform extends SessionPlatform {
  constructor(private readonly gate: SessionGate) {
    super();
  }

  sessionOf(request: ExpressSessionRequest): RequestSession | SessionAbsence {
    const { session, sessionID, sessionStore } = request;
    if (!session) return 'missing';
    if (sessionID === undefined || !sessionStore) return 'irrevocable';
    this.gate.guard(sessionStore);
    const cookie = session.cookie ?? {};
    return { id: sessionID, data: session, cookieMaxAge: cookie.originalMaxAge ?? null, cookie };
  }

  renew(request: ExpressSessionRequest): void {
    request.sessionStore?.generate(request);
  }

  presentedIds(request: SessionSecurityRequest, cookieName: string | undefined): string[] {
    return cookiesOf(request)
      .filter(([name]) => cookieName === undefined || name === cookieName)
      .map(([, value]) => /^s:(.+)\.[^.]*$/.exec(value)?.[1])
      .filter((id) => id !== undefined);
  }

  onRotation(listener: RotationListener): void {
    this.gate.onRotation = listener;
  }

  afterResponse(request: ExpressSessionRequest, callback: () => void): void {
    request.res?.once('close', callback);
  }
}
