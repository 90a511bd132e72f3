import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ApplicationConfig, Reflector } from '@nestjs/core';
import { match } from 'path-to-regexp';
import { type PassiveRule, SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { isForeignCall } from './cross-site.js';
import { pathOf, targetOf, withoutOrigin } from './request-path.js';
import { PASSIVE } from './route-decorators.js';

/** A page marks its own background calls with this request header; it can only make a request count less. */
export const PASSIVE_HEADER = 'x-session-passive';

/** Where browsers say that a request is made ahead of a visit, or instead of one. */
const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-moz'];

type Matcher = (request: SessionSecurityRequest, paths: readonly string[]) => boolean;

/** Tells activity from what only looks like it. */
@Injectable()
export class RequestClassifier {
  readonly #matchers: readonly Matcher[];

  constructor(
    private readonly reflector: Reflector,
    private readonly applicationConfig: ApplicationConfig,
    options: SessionSecurityOptions,
  ) {
    this.#matchers = options.passive.map(matcherOf);
  }

  /** True if the request is no sign of a person: by method, header, decorator or the `passive` option. */
  isPassive(context: ExecutionContext, request: SessionSecurityRequest): boolean {
    if (isBackground(request)) return true;
    const decorated = this.#decorated(context);
    if (decorated !== undefined) return decorated;
    if (this.#matchers.length === 0) return false;
    const paths = this.#pathsOf(request);
    return this.#matchers.some((matches) => matches(request, paths));
  }

  /** True if a message over an open connection is a sign of a person: only where `@Passive(false)` says so. */
  isActivity(context: ExecutionContext): boolean {
    return this.#decorated(context) === false;
  }

  #decorated(context: ExecutionContext): boolean | undefined {
    return this.reflector.getAllAndOverride(PASSIVE, [context.getHandler(), context.getClass()]);
  }

  /** The path as it was requested, within a mount, and without the global prefix: a pattern may be written for any. */
  #pathsOf(request: SessionSecurityRequest): string[] {
    const whole = [targetOf(request), withoutOrigin(request.url)].map(decodedPath);
    const prefix = `/${this.applicationConfig.getGlobalPrefix().replace(/^\/|\/$/g, '')}/`;
    const within = whole
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length - 1));
    return [...new Set([...whole, ...within])];
  }
}

/**
 * HEAD and OPTIONS, prefetch and prerender (`Sec-Purpose`, and its older spellings), what a page marks itself, and what a
 * page of another site calls: that must keep nobody signed in.
 */
function isBackground(request: SessionSecurityRequest): boolean {
  const { method, headers } = request;
  if (method === 'HEAD' || method === 'OPTIONS' || isForeignCall(request)) return true;
  return headers[PASSIVE_HEADER] !== undefined || PURPOSE_HEADERS.some((name) => isAhead(headers[name]));
}

function isAhead(purpose: string | string[] | undefined): boolean {
  return purpose !== undefined && /prefetch|prerender|preview/i.test(String(purpose));
}

function matcherOf(rule: PassiveRule): Matcher {
  if (typeof rule === 'function') return (request) => rule(request);
  if (rule instanceof RegExp)
    return (_, paths) => paths.some((path) => new RegExp(rule, rule.flags.replace(/[gy]/g, '')).test(path));
  const matches = match(rule, { trailing: true, decode: false });
  return (_, paths) => paths.some((path) => matches(path) !== false);
}

function decodedPath(target: string): string {
  const path = pathOf(target);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
