import { Injectable } from '@nestjs/common';
import type { SessionSecurityRequest } from '../../options/index.js';
import { PageTags } from '../page-tags.js';
import type { ResponseHeaders } from '../response-headers.js';

type Send = (body?: unknown) => unknown;

interface ExpressResponse extends ResponseHeaders {
  readonly locals: Record<string, unknown>;
  send: Send;
}

/** What is used of Nest's adapter to Express. */
interface ExpressApplication {
  use(handler: unknown): unknown;
}

/** The client's tag in pages that Express sends: those of handlers and templates, not files and streams. */
@Injectable()
export class ExpressPageTags {
  constructor(private readonly tags: PageTags) {}

  open(application: ExpressApplication): void {
    const { helperName, injects } = this.tags;
    if (helperName === null && !injects) return;
    application.use((request: SessionSecurityRequest, response: ExpressResponse, next: () => void) => {
      if (helperName !== null) response.locals[helperName] = this.tags.helperFor(request);
      if (injects) this.#injectInto(request, response);
      next();
    });
  }

  #injectInto(request: SessionSecurityRequest, response: ExpressResponse): void {
    const send = response.send.bind(response);
    response.send = (body) => {
      // What Express makes of a text without a type.
      const type = response.getHeader('Content-Type') ?? 'text/html';
      return send(this.tags.inject(request, response, type, body));
    };
  }
}
