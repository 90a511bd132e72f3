import { Injectable } from '@nestjs/common';
import type { EndReason } from '../activity/activity-record.js';
import type { SessionSecurityRequest } from '../options/index.js';
import { appendCookie, cookiesOf } from './cookies.js';
import type { ResponseHeaders } from './response-headers.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';

const COOKIE = 'session-security-ended';
const KEPT_SECONDS = 3600;
const TOLD = 'told';

/** Why a session ended, as far as users want to be told: not after they signed out themselves. */
export type NoticeReason = Exclude<EndReason, 'logout'>;

/**
 * Carries why the last session ended from the request that noticed it to the sign-in page, in a cookie of its own, which
 * holds the reason and the instant and nothing else. Writing a cookie at the end also keeps Chromium from showing a
 * signed-in page out of its back/forward cache: a `no-store` page is dropped from there when a cookie has changed
 * (https://developer.chrome.com/docs/web-platform/bfcache-ccns).
 */
@Injectable()
export class EndNotice {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly platform: SessionPlatform,
  ) {}

  /** Notes on the response why the request's session ended; once for each end. */
  leave(request: SessionSecurityRequest, response: ResponseHeaders): void {
    const { outcome, ended } = this.enforcer.stateOf(request);
    const pending = read(request);
    if (outcome === 'watched' && pending && pending.reason !== TOLD)
      this.#write(request, response, TOLD, pending.at);
    if (!ended || !isTellable(ended.reason) || pending?.at === Math.floor(ended.at)) return;
    this.#write(request, response, ended.reason, ended.at);
  }

  /** Why the last session ended, said once; `undefined` after a sign-out, or when it was said before. */
  take(request: SessionSecurityRequest, response: ResponseHeaders): NoticeReason | undefined {
    const pending = read(request);
    if (pending && isTellable(pending.reason)) {
      this.#write(request, response, TOLD, pending.at);
      return pending.reason;
    }
    const { ended } = this.enforcer.stateOf(request);
    if (!ended || !isTellable(ended.reason) || pending?.at === Math.floor(ended.at)) return undefined;
    this.#write(request, response, TOLD, ended.at);
    return ended.reason;
  }

  #write(request: SessionSecurityRequest, response: ResponseHeaders, reason: string, at: number): void {
    const secure = this.platform.isSecure(request) ? '; Secure' : '';
    appendCookie(
      response,
      `${COOKIE}=${reason}.${Math.floor(at)}; Path=/; Max-Age=${KEPT_SECONDS}; HttpOnly; SameSite=Lax${secure}`,
    );
  }
}

function isTellable(reason: string | null): reason is NoticeReason {
  return reason === 'idle' || reason === 'lifetime' || reason === 'revoked' || reason === 'replaced';
}

function read(request: SessionSecurityRequest): { reason: string; at: number } | undefined {
  if (!request.headers['cookie']?.includes(COOKIE)) return undefined;
  const value = cookiesOf(request).find(([name]) => name === COOKIE)?.[1];
  const [, reason, at] = /^(\w+)\.(\d+)$/.exec(value ?? '') ?? [];
  return reason === undefined ? undefined : { reason, at: Number(at) };
}
