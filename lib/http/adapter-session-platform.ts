import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { SessionSecurityRequest } from '../options/index.js';
import { ExpressSessionPlatform } from './express/express-session-platform.js';
import { FastifySessionPlatform } from './fastify/fastify-session-platform.js';
import type { ResponseHeaders, SessionSecurityResponse } from './response-headers.js';
import {
  type PresentedId,
  type RequestSession,
  type RotationListener,
  type SessionAbsence,
  SessionPlatform,
  type SessionReader,
  type SetupAdvice,
} from './session-platform.js';

/** Is it Nest's adapter to Fastify? */
export function isFastify(adapter: { getType(): string } | undefined): boolean {
  return adapter?.getType() === 'fastify';
}

/**
 * The platform of the application's HTTP adapter. Testing modules are given theirs after the providers have been made,
 * so it is asked for when it is known.
 */
@Injectable()
export class AdapterSessionPlatform extends SessionPlatform {
  #chosen: SessionPlatform | undefined;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly express: ExpressSessionPlatform,
    private readonly fastify: FastifySessionPlatform,
  ) {
    super();
  }

  /** Requests come when the adapter is known. */
  get #platform(): SessionPlatform {
    return (this.#chosen ??= isFastify(this.adapterHost.httpAdapter) ? this.fastify : this.express);
  }

  get advice(): SetupAdvice {
    return this.#platform.advice;
  }

  sessionOf(request: SessionSecurityRequest): RequestSession | SessionAbsence {
    return this.#platform.sessionOf(request);
  }

  failureOf(request: SessionSecurityRequest): unknown {
    return this.#platform.failureOf(request);
  }

  renew(request: SessionSecurityRequest): void {
    this.#platform.renew(request);
  }

  replace(request: SessionSecurityRequest): string | undefined {
    return this.#platform.replace(request);
  }

  letGo(request: SessionSecurityRequest): void {
    this.#platform.letGo(request);
  }

  presentedIds(request: SessionSecurityRequest, cookieName: string | undefined): PresentedId[] {
    return this.#platform.presentedIds(request, cookieName);
  }

  /** Asked for while the enforcer is made, when the adapter need not be known yet. */
  onRotation(listener: RotationListener): void {
    this.express.onRotation(listener);
    this.fastify.onRotation(listener);
  }

  beforeEnd(request: SessionSecurityRequest, work: () => Promise<void> | undefined): void {
    this.#platform.beforeEnd(request, work);
  }

  afterResponse(request: SessionSecurityRequest, callback: () => void): void {
    this.#platform.afterResponse(request, callback);
  }

  isSecure(request: SessionSecurityRequest): boolean {
    return this.#platform.isSecure(request);
  }

  mountOf(request: SessionSecurityRequest): string {
    return this.#platform.mountOf(request);
  }

  sessionReader(cookieName: string | undefined): SessionReader | undefined {
    return this.#platform.sessionReader(cookieName);
  }

  responseOf(request: SessionSecurityRequest): SessionSecurityResponse | undefined {
    return this.#platform.responseOf(request);
  }

  headersOf(response: SessionSecurityResponse): ResponseHeaders {
    return this.#platform.headersOf(response);
  }

  finish(response: SessionSecurityResponse, status: number, content?: Buffer): void {
    this.#platform.finish(response, status, content);
  }
}
