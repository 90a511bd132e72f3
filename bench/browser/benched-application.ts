import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeSessionServer } from '../../test/support/client/fake-session-server.js';
import { ownEnding, ownScript, OURS, pageScript } from './benched-client.js';
import type { BenchedClient } from './benched-client.js';
import type { Limits } from './clients/mount.js';

/** How the server answers clients: as it should, not at all, or with this status. */
export type Mood = 'well' | 'not at all' | number;

/** The application in which clients are mounted: one page that is worth protecting, and a session. */
export class BenchedApplication {
  readonly session: FakeSessionServer;
  mood: Mood = 'well';
  /** How often a client asked for anything, in whatever mood; not counted is what a page's start asks. */
  requests = 0;
  /** When `/signed-out` was asked for, in epoch milliseconds. */
  readonly signedOutAt: number[] = [];
  /** What pages have told by `/told?…`. */
  readonly told: string[] = [];
  private sleptMs = 0;

  private constructor(
    private readonly server: Server,
    private readonly client: BenchedClient,
    private readonly limits: Limits,
    private readonly policy: string,
    private readonly scripts: ReadonlyMap<string, string>,
  ) {
    this.session = new FakeSessionServer(() => Date.now() + this.sleptMs, limits);
    this.session.redirectTo = '/signed-out';
    this.session.client = { loginUrl: '/signed-out' };
    server.on('request', (request, response) => void this.handle(request, response));
  }

  static async start(client: BenchedClient, limits: Limits, policy = ''): Promise<BenchedApplication> {
    const scripts = new Map([
      ['/bench.js', await pageScript(client)],
      ['/session-security/client.js', await ownScript()],
      ['/session-security/client/ending.js', await ownEnding()],
    ]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new BenchedApplication(server, client, limits, policy, scripts);
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** While machine and browser sleep, the server's time goes on. */
  sleep(milliseconds: number): void {
    this.sleptMs += milliseconds;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url!, this.url);
    const script = this.scripts.get(pathname);
    if (script !== undefined) sendScript(response, script);
    else if (pathname.startsWith('/session-security/') || pathname === '/keep-alive')
      await this.answer(request, response, pathname.slice('/session-security/'.length) + search);
    else if (pathname === '/told') {
      this.told.push(decodeURIComponent(search.slice(1)));
      response.writeHead(204).end();
    } else this.render(response, pathname);
  }

  private async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (!path.includes('start=1')) this.requests += 1;
    if (this.mood === 'not at all') return void request.destroy();
    if (this.mood !== 'well') return void response.writeHead(this.mood).end();
    if (path === '') {
      this.session.touch();
      return void response.writeHead(204).end();
    }
    const text = Buffer.concat(chunks).toString();
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : undefined;
    const reply = this.session.handle(request.method as 'GET' | 'POST', path, body);
    response.setHeader('Content-Type', 'application/json').setHeader('Cache-Control', 'no-store');
    response.writeHead(reply.status).end(JSON.stringify(reply.body));
  }

  private render(response: ServerResponse, pathname: string): void {
    // `no-cache` and not `no-store`, with which Chromium keeps pages that ask the server out of its back/forward cache.
    response.setHeader('Content-Type', 'text/html; charset=utf-8').setHeader('Cache-Control', 'no-cache');
    if (pathname === '/signed-out') this.signedOutAt.push(Date.now());
    if (pathname !== '/') return void response.end('<!doctype html><title>Elsewhere</title>');
    if (this.policy) response.setHeader('Content-Security-Policy', this.policy);
    this.session.touch();
    const own = this.client === OURS ? '<script src="/session-security/client.js" defer></script>' : '';
    const { warnAfter, expireAfter } = this.limits;
    response.end(
      `<!doctype html><html lang="en" data-warn-after="${warnAfter}" data-expire-after="${expireAfter}"><head><title>Clinic</title>` +
        `${own}<script src="/bench.js" defer></script></head>${BODY}</html>`,
    );
  }
}

/** Long enough to scroll. */
const BODY =
  '<body><main><h1>Patients</h1><div id="widget">Ada Lovelace</div>' +
  '<p>1815</p>'.repeat(200) +
  '</main></body>';

function sendScript(response: ServerResponse, script: string): void {
  response.setHeader('Content-Type', 'text/javascript').setHeader('Cache-Control', 'max-age=60').end(script);
}
