import type { ExecutionContext } from '@nestjs/common';
import type { SessionSecurityRequest } from '../options/index.js';
import type { SessionSecurityResponse } from './response-headers.js';
import type { SessionPlatform } from './session-platform.js';

/** What a handler answers: a request over HTTP, or something that comes in over a connection that stays open. */
export type Handled =
  | {
      readonly over: 'http';
      readonly request: SessionSecurityRequest;
      readonly response: SessionSecurityResponse;
    }
  | { readonly over: 'connection'; readonly connection: object };

/** What Nest's drivers of GraphQL hand to resolvers: the request, or in subscriptions what graphql-ws knows of the connection. */
interface ResolverContext {
  readonly req?: SessionSecurityRequest | { extra: { request: object } };
  readonly res?: SessionSecurityResponse;
}

/**
 * `undefined` for what has nothing to do with a browser, such as a message of a microservice, and for messages to gateways,
 * which have a guard of their own.
 */
export function handledBy(context: ExecutionContext, platform: SessionPlatform): Handled | undefined {
  switch (context.getType<'http' | 'graphql'>()) {
    case 'http': {
      const http = context.switchToHttp();
      return { over: 'http', request: http.getRequest(), response: http.getResponse() };
    }
    case 'graphql':
      return handledByResolver(context.getArgByIndex<ResolverContext | undefined>(2), platform);
    default:
      return undefined;
  }
}

function handledByResolver(
  context: ResolverContext | undefined,
  platform: SessionPlatform,
): Handled | undefined {
  const request = context?.req;
  if (!request) return undefined;
  if ('extra' in request) return { over: 'connection', connection: request.extra.request };
  const response = context.res ?? platform.responseOf(request);
  return response && { over: 'http', request, response };
}
