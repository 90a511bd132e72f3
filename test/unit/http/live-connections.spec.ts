import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import type { SessionSecurityRequest } from '../../../lib/index.js';
import { type Closing, CLOSINGS, LiveConnections } from '../../../lib/http/live-connections.js';

/** A WebSocket as far as it matters here. */
class Socket extends EventEmitter {
  readonly closedWith: [number, string][] = [];

  close(code: number, reason: string): void {
    this.closedWith.push([code, reason]);
  }
}

describe('live connections', () => {
  const request = (): SessionSecurityRequest => ({ method: 'GET', url: '/', headers: {} });

  it('V4 closes a connection with its session, and forgets it when it is closed before', async () => {
    const [connections, ended, socket, left] = [
      new LiveConnections(),
      new Subject<Closing>(),
      new Socket(),
      new Socket(),
    ];
    connections.watch(socket, request(), () => ended);
    connections.watch(left, request(), () => ended);
    await connections.requestOf(socket);
    left.emit('close');
    ended.next(CLOSINGS.ended);
    expect([socket.closedWith, left.closedWith]).toEqual([[[1008, 'The session has ended']], []]);
  });

  it('V4 waits for no end of a session whose connection was closed while the session was being read', async () => {
    const [connections, ended, socket] = [new LiveConnections(), new Subject<Closing>(), new Socket()];
    let read: () => void;
    connections.watch(
      socket,
      request(),
      () => ended,
      (_request, _response, next) => (read = next),
    );
    socket.emit('close');
    read!();
    await connections.requestOf(socket);
    expect(ended.observed).toBe(false);
  });
});
