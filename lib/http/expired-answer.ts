import { HttpException, HttpStatus, Injectable } from '@nestjs/common';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { appendCookie, type SessionSecurityResponse } from './cookies.js';
import { ProblemException } from './problem.js';
import type { RequestState } from './request-state.js';
import { SessionPlatform } from './session-platform.js';

/** What a request gets whose session is over, when it is not to go on as nobody (`onExpired`). */
@Injectable()
export class ExpiredAnswer {
  constructor(
    private readonly options: SessionSecurityOptions,
    private readonly platform: SessionPlatform,
  ) {}

  /** @throws always, the answer: a redirect for page navigations if so configured, else 401. */
  refuse(
    request: SessionSecurityRequest,
    response: SessionSecurityResponse,
    ended: RequestState['ended'],
  ): never {
    this.#clearCookie(request, response);
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
  clearSiteData(request: SessionSecurityRequest, response: SessionSecurityResponse): void {
    const { clearSiteData } = this.options;
    if (clearSiteData.length === 0 || !(request as { secure?: boolean }).secure) return;
    response.setHeader('Clear-Site-Data', clearSiteData.map((name) => `"${name}"`).join(', '));
  }

  #signInAddress(loginUrl: string, { method, originalUrl, url }: SessionSecurityRequest): string {
    if (method !== 'GET') return loginUrl;
    const back = encodeURIComponent(originalUrl ?? url);
    return `${loginUrl}${loginUrl.includes('?') ? '&' : '?'}${this.options.returnParameter}=${back}`;
  }

  #clearCookie(request: SessionSecurityRequest, response: SessionSecurityResponse): void {
    const { cookieName } = this.options;
    const session = this.platform.sessionOf(request);
    if (cookieName === undefined || typeof session === 'string') return;
    const { path = '/', domain, secure } = session.cookie;
    const attributes = [`Path=${path}`, 'Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'HttpOnly'];
    if (domain) attributes.push(`Domain=${domain}`);
    if (secure) attributes.push('Secure');
    appendCookie(response, `${cookieName}=; ${attributes.join('; ')}`);
  }
}

/** A person opens a page: not fetch, not XHR, not a program that wants JSON. */
function isPageNavigation({ method, headers }: SessionSecurityRequest): boolean {
  if (method !== 'GET' && method !== 'POST') return false;
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return headers['x-requested-with'] === undefined && String(headers['accept']).includes('text/html');
}
