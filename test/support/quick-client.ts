import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const COOKIE = /^(connect\.sid=[^;]+)/;

/** What came back. */
export interface QuickAnswer {
  readonly status: number;
  readonly body: string;
}

/** A browser for thousands of requests: one cookie, connections that are kept, nothing else. */
export class QuickClient {
  cookie: string | undefined;

  constructor(
    private readonly port: number,
    private readonly agent: Agent,
  ) {}

  async send(method: 'GET' | 'POST', path: string, cookie = this.cookie): Promise<QuickAnswer> {
    const headers = {
      ...(cookie === undefined ? {} : { Cookie: cookie }),
      ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
    };
    const call = request({ host: '127.0.0.1', port: this.port, agent: this.agent, method, path, headers });
    call.end(method === 'POST' ? '{}' : undefined);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    for (const line of response.headers['set-cookie'] ?? [])
      this.cookie = COOKIE.exec(line)?.[1] ?? this.cookie;
    return { status: response.statusCode!, body: await text(response) };
  }
}
