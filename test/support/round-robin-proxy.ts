import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';

/** Hands each request on to the next process in turn, and knows nothing of sessions. */
export class RoundRobinProxy {
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async before(ports: readonly number[]): Promise<RoundRobinProxy> {
    let turn = 0;
    const server = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const port = ports[turn++ % ports.length]!;
      // A connection of its own: one that is kept may be given up by the process just now.
      const wanted = { host: '127.0.0.1', port, method, path: url, headers, agent: false };
      const handedOn = request(wanted, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      handedOn.on('error', () => outgoing.destroy());
      outgoing.on('close', () => handedOn.destroy());
      incoming.pipe(handedOn);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RoundRobinProxy(server, `http://127.0.0.1:${(server.address() as { port: number }).port}`);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
