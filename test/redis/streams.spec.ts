import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/real-time.js';
import { RedisServer } from '../support/redis-server.js';
import { compile, removeCompiled } from '../support/compiled.js';

const PROCESSES = 3;

describe('V4 6 streams and sockets over three processes', () => {
  const children: ChildProcess[] = [];
  const ports: number[] = [];
  let compiled: string;
  let server: RedisServer;

  beforeAll(async () => {
    compiled = compile();
    server = await RedisServer.start();
    for (let number = 0; number < PROCESSES; number++) {
      const child = fork(join(compiled, 'test/redis/support/desk-process.js'), [server.url]);
      children.push(child);
      const [{ port }] = (await once(child, 'message')) as [{ port: number }];
      ports.push(port);
    }
  }, 60_000);
  afterAll(async () => {
    const exits = children.map((child) => once(child, 'exit'));
    for (const child of children) child.disconnect();
    await Promise.all(exits);
    await server.stop();
    removeCompiled(compiled);
  });

  const post = async (port: number, path: string, cookie = ''): Promise<IncomingMessage> => {
    const [response] = (await once(
      request({ port, path, method: 'POST', headers: { cookie } }).end(),
      'response',
    )) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(201);
    return response;
  };
  const signIn = async (user: string): Promise<string> => {
    const { headers } = await post(ports[0]!, `/login?user=${user}`);
    return headers['set-cookie']![0]!.split(';')[0]!;
  };
  /** A stream of events that is open. */
  const openStream = async (port: number, cookie: string): Promise<Watched> => {
    const [stream] = (await once(get({ port, path: '/news', headers: { cookie } }), 'response')) as [
      IncomingMessage,
    ];
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await once(stream, 'data');
    return new Watched(`stream of ${port}`, stream);
  };
  /** A socket that is open. */
  const openSocket = async (port: number, cookie: string): Promise<Watched> => {
    const asked = request({
      port,
      path: '/socket',
      headers: { cookie, upgrade: 'test', connection: 'upgrade' },
    });
    const [, socket] = (await once(asked.end(), 'upgrade')) as [unknown, Duplex];
    return new Watched(`socket of ${port}`, socket.resume());
  };
  const openEverywhere = (cookie: string): Promise<Watched[]> =>
    Promise.all(ports.flatMap((port) => [openStream(port, cookie), openSocket(port, cookie)]));

  it('all of a session are closed within five seconds of a sign-out also when it has been given another id since', async () => {
    const cookie = await signIn('anna');
    const opened = await openEverywhere(cookie);
    const { headers } = await post(ports[1]!, '/rotate', cookie);
    const given = headers['set-cookie']![0]!.split(';')[0]!;
    const stream = await openStream(ports[2]!, given);
    expect(opened.filter(({ isOpen }) => !isOpen).map(({ name }) => name)).toEqual([]);
    await post(ports[2]!, '/logout', given);
    await eventually('all closed', () => [...opened, stream].every(({ isOpen }) => !isOpen), 5000);
  });

  it('all of a session are closed within five seconds of a sign-out on one process, those of others stay open', async () => {
    const [leaving, staying] = [await signIn('anna'), await signIn('ben')];
    const [closing, open] = [await openEverywhere(leaving), await openEverywhere(staying)];
    await post(ports[1]!, '/logout', leaving);
    await eventually('all closed', () => closing.every(({ isOpen }) => !isOpen), 5000);
    expect(open.filter(({ isOpen }) => !isOpen).map(({ name }) => name)).toEqual([]);
    await post(ports[2]!, '/logout', staying);
    await eventually('the others closed too', () => open.every(({ isOpen }) => !isOpen), 5000);
  });
});

/** Something that is open until the other side closes it. */
class Watched {
  isOpen = true;

  constructor(
    readonly name: string,
    connection: IncomingMessage | Duplex,
  ) {
    connection.resume().once('end', () => (this.isOpen = false));
  }
}
