import { Injectable } from '@nestjs/common';
import { PageTags } from '../page-tags.js';
import type { FastifySessionReply, FastifySessionRequest } from './fastify-session-platform.js';

type Done = (error?: Error | null, payload?: unknown) => void;
type Hook = (
  request: FastifySessionRequest,
  reply: FastifySessionReply & { locals?: Record<string, unknown> | null },
  payload: unknown,
  done: Done,
) => void;

/** What is used of Fastify. */
export interface PageTagServer {
  addHook(name: 'preParsing' | 'onSend', hook: Hook): unknown;
}

/** The client's tag in pages that Fastify sends: those of handlers and templates, not files and streams. */
@Injectable()
export class FastifyPageTags {
  constructor(private readonly tags: PageTags) {}

  open(server: PageTagServer): void {
    const { helperName, injects } = this.tags;
    if (helperName !== null) {
      // Later than the hook with which @fastify/view begins its locals.
      server.addHook('preParsing', (request, reply, _payload, done) => {
        reply.locals = { ...reply.locals, [helperName]: this.tags.helperFor(request) };
        done();
      });
    }
    if (injects) {
      server.addHook('onSend', (request, reply, payload, done) => {
        const sent = this.tags.inject(request, reply, reply.getHeader('content-type'), payload);
        if (sent !== payload) reply.removeHeader('content-length');
        done(null, sent);
      });
    }
  }
}
