import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeSessionServer } from './fake-session-server.js';
import type { FakeLimits } from './fake-session-server.js';

const STRICT_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";

/** A page of the application under test. */
export interface FakePage {
  body?: string;
  policy?: string;
  /** In place of `no-store`, with which Chromium keeps a page that has pinged out of its back/forward cache. */
  cacheControl?: string;
  /** Attributes of the script tag, e.g. `data-owner="ada-1"`. */
  attributes?: string;
  /** The whole page in place of the generated one. */
  html?: string;
}

/** What happens to the next requests of the client before they reach the session; answers whether it dealt with them. */
export type Interference = (response: ServerResponse, path: string) => boolean | Promise<boolean>;

/** A real HTTP server around {@link FakeSessionServer}, with pages that carry the client's script tag. */
export class FakePingServer {
  readonly session: FakeSessionServer;
  readonly pages = new Map<string, FakePage>([
    ['/', {}],
    ['/login', { body: '<h1>Sign in</h1>' }],
  ]);
  /** Requests for pages, as `GET /path?query`. */
  readonly visits: string[] = [];
  /** Requests for scripts, by path. */
  readonly scriptRequests: string[] = [];
  /** By how many seconds this server's clock is ahead of the machine's. */
  ahead = 0;
  interfere: Interference | undefined;
  /** Scripts that cannot be had, by path. */
  withholds: ((path: string) => boolean) | undefined;

  private readonly scripts = clientScripts();

  private constructor(
    private readonly server: Server,
    limits: FakeLimits,
  ) {
    this.session = new FakeSessionServer(() => Date.now() + this.ahead * 1000, limits);
    server.on('request', (request, response) => void this.handle(request, response));
  }

  static async start(limits: FakeLimits): Promise<FakePingServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakePingServer(server, limits);
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url!, this.url);
    const script = this.scripts.get(pathname);
    if (script !== undefined) {
      this.scriptRequests.push(pathname);
      if (this.withholds?.(pathname)) return void response.destroy();
      response.setHeader('Content-Type', 'text/javascript').end(script);
    } else if (pathname.startsWith('/session-security/')) {
      await this.answer(request, response, pathname.slice('/session-security/'.length) + search);
    } else {
      this.visits.push(`${request.method} ${pathname}${search}`);
      this.render(response, this.pages.get(pathname));
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (await this.interfere?.(response, path)) return;
    const text = Buffer.concat(chunks).toString();
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : undefined;
    const reply = this.session.handle(request.method as 'GET' | 'POST', path, body);
    if (reply.retryAfter !== null) response.setHeader('Retry-After', reply.retryAfter);
    response.setHeader('Content-Type', 'application/json').setHeader('Cache-Control', 'no-store');
    response.writeHead(reply.status).end(JSON.stringify(reply.body));
  }

  private render(response: ServerResponse, page: FakePage | undefined): void {
    if (!page) return void response.writeHead(404).end();
    const { body = '<main><h1>Patients</h1><p>Ada Lovelace</p><input></main>', attributes = '' } = page;
    const script = `<script src="/session-security/client.js" defer ${attributes}></script>`;
    const html = `<!doctype html><html lang="en"><head><title>Clinic</title>${script}</head><body>${body}</body></html>`;
    response
      .setHeader('Content-Type', 'text/html; charset=utf-8')
      .setHeader('Cache-Control', page.cacheControl ?? 'no-store');
    response.setHeader('Content-Security-Policy', page.policy ?? STRICT_POLICY).end(page.html ?? html);
  }
}

/** What `test/support/setup/browser.mjs` has built, by path. */
function clientScripts(): Map<string, string> {
  return new Map(Object.entries(JSON.parse(process.env['CLIENT_SCRIPTS']!) as Record<string, string>));
}
