import type { FastifyResponse, ResponseHeaders } from '../response-headers.js';

/**
 * The headers of a Fastify reply. They are written to Node's response as well, which is what server-sent events and
 * handlers that end it themselves send; where the reply is sent, its own headers win.
 */
export class FastifyReplyHeaders implements ResponseHeaders {
  constructor(private readonly reply: FastifyResponse) {}

  get headersSent(): boolean {
    return this.reply.raw.headersSent;
  }

  getHeader(name: string): number | string | string[] | undefined {
    return this.reply.getHeader(name);
  }

  setHeader(name: string, value: string | string[]): void {
    // Fastify adds cookies to those that are there.
    this.reply.removeHeader(name);
    this.reply.header(name, value);
    // Each has a list of its own, because Fastify adds to it.
    this.reply.raw.setHeader(name, Array.isArray(value) ? [...value] : value);
  }

  removeHeader(name: string): void {
    this.reply.removeHeader(name);
    this.reply.raw.removeHeader(name);
  }
}
