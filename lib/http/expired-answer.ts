import { HttpException, HttpStatus, Injectable } from '@nestjs/common';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { appendCookie } from './cookies.js';
import { ProblemException } from './problem.js';
import { pathOf, returnPathOf, targetOf } from './request-path.js';
import type { RequestState } from './request-state.js';
import type { ResponseHeaders } from './response-headers.js';
import { SessionPlatform } from './session-platform.js';

/** What a request gets whose session is over, when it is not to go on as nobody (`onExpired`). */
@Injectable()
export class ExpiredAnswer {
  constructor(
    private readonly options: SessionSecurityOptions,
    private readonly platform: SessionPlatform,
    private readonly tracker: ActivityTracker,
  ) {}

  /** Whoever is to sign in must reach the page, and what it posts to. */
  isSignIn(request: SessionSecurityRequest): boolean {
    const { loginUrl } = this.options;
    return loginUrl !== null && addressedBy(targetOf(request)) === addressedBy(loginUrl);
  }

  /** @throws always, the answer: a redirect for page navigations if so configured, else 401. */
  refuse(request: SessionSecurityRequest, response: ResponseHeaders, ended: RequestState['ended']): never {
    this.#clearCookies(request, response);
    this.clearSiteData(request, response);
    const { loginUrl, onExpired } = this.options;
    if (onExpired === 'redirect' && loginUrl !== null && isPageNavigation(request)) {
      response.setHeader('Location', this.#signInAddress(loginUrl, request));
      response.setHeader('Cache-Control', 'no-store');
      throw new HttpException('See Other', HttpStatus.SEE_OTHER);
    }
    response.setHeader('WWW-Authenticate', 'Session realm="session", error="session_expired"');
    throw new ProblemException(
      {
        status: HttpStatus.UNAUTHORIZED,
        title: 'Signed out',
        detail: 'The session of this request has ended. Sign in again.',
        code: 'session_expired',
        reason: ended?.reason ?? null,
        loginUrl,
      },
      response,
    );
  }

  /** Tells the browser to clear what the application keeps there; browsers heed it on secure pages only. */
  clearSiteData(request: SessionSecurityRequest, response: ResponseHeaders): void {
    const { clearSiteData } = this.options;
    if (clearSiteData.length === 0 || !this.platform.isSecure(request)) return;
    response.setHeader('Clear-Site-Data', clearSiteData.map((name) => `"${name}"`).join(', '));
  }

  #signInAddress(loginUrl: string, request: SessionSecurityRequest): string {
    if (request.method !== 'GET') return loginUrl;
    const back = encodeURIComponent(returnPathOf(request));
    return `${loginUrl}${loginUrl.includes('?') ? '&' : '?'}${this.options.returnParameter}=${back}`;
  }

  /** Cookies that carry the id of an ended session are of no use any more, whatever their name. */
  #clearCookies(request: SessionSecurityRequest, response: ResponseHeaders): void {
    const session = this.platform.sessionOf(request);
    if (typeof session === 'string') return;
    const { path = '/', domain, secure } = session.cookie;
    const attributes = [`Path=${path}`, 'Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'HttpOnly'];
    if (domain) attributes.push(`Domain=${domain}`);
    if (secure) attributes.push('Secure');
    for (const { id, cookieName } of this.platform.presentedIds(request, this.options.cookieName)) {
      if (this.tracker.tombstone(id)) appendCookie(response, `${cookieName}=; ${attributes.join('; ')}`);
    }
  }
}

/** A person opens a page: not fetch, not XHR, not a program that wants JSON. */
function isPageNavigation({ method, headers }: SessionSecurityRequest): boolean {
  if (method !== 'GET' && method !== 'POST') return false;
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return headers['x-requested-with'] === undefined && String(headers['accept']).includes('text/html');
}

/** The path, with or without a slash at its end. */
function addressedBy(target: string): string {
  return pathOf(target).replace(/(?<=.)\/$/, '');
}
