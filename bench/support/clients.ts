/** The clients, in a process of their own: so many requests over so many kept connections. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { answering } from './children.js';

/** A block of requests to one server. */
export interface Load {
  readonly port: number;
  readonly cookies: readonly string[];
  readonly connections: number;
  readonly requests: number;
  /** Left out: as fast as the answers come. */
  readonly requestsPerSecond?: number;
}

const kept = new Map<number, Connection[]>();

/** Answers how many milliseconds the block took. */
answering(async ({ port, cookies, connections, requests, requestsPerSecond = Infinity }: Load) => {
  let pool = kept.get(port);
  if (!pool) kept.set(port, (pool = Array.from({ length: connections }, () => new Connection(port))));
  let sent = 0;
  const startedAt = performance.now();
  await Promise.all(
    pool.map(async (connection) => {
      while (sent < requests) {
        const turn = sent++;
        const early = (turn / requestsPerSecond) * 1000 - (performance.now() - startedAt);
        if (early > 0) await pause(early);
        await connection.get('/orders', cookies[turn % cookies.length]!);
      }
    }),
  );
  return performance.now() - startedAt;
});

/** HTTP/1.1 by hand, so that the clients take as little of the machine as possible. */
class Connection {
  readonly #socket: Socket;
  #received = '';
  #answered: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', (error) => this.#answered?.reject(error));
    this.#socket.on('close', () => this.#answered?.reject(new Error('The server closed a connection.')));
  }

  get(path: string, cookie: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const headersEnd = this.#received.indexOf('\r\n\r\n');
    if (headersEnd < 0) return;
    const length = Number(/\r\nContent-Length: (\d+)/i.exec(this.#received)?.[1]);
    if (this.#received.length < headersEnd + 4 + length) return;
    const answer = this.#received;
    this.#received = '';
    const { resolve, reject } = this.#answered!;
    if (answer.startsWith('HTTP/1.1 200 ') && answer.includes('"user":"user-')) resolve();
    else reject(new Error(`Not answered as to a signed-in user: ${answer}`));
  }
}
