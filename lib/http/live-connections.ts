import { ServerResponse, type IncomingMessage } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { type Observable, Subscription } from 'rxjs';
import { reasonOf } from '../activity/store-calls.js';
import type { SessionSecurityRequest } from '../options/index.js';
import type { SessionReader } from './session-platform.js';

/** Policy violation (RFC 6455 section 7.4.1). */
const POLICY_VIOLATION = 1008;
/** Try again later (IANA WebSocket close code registry). */
const TRY_AGAIN_LATER = 1013;

/** Why a connection is closed: a code of the WebSocket protocol, and words. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

export const CLOSINGS = {
  ended: { code: POLICY_VIOLATION, reason: 'The session has ended' },
  nobody: { code: POLICY_VIOLATION, reason: 'Nobody is signed in' },
  undecided: { code: TRY_AGAIN_LATER, reason: 'It cannot be told now whose session it is' },
  unread: { code: TRY_AGAIN_LATER, reason: 'The session could not be read' },
} as const satisfies Record<string, Closing>;

/** A WebSocket of `ws`, or a socket of socket.io, as a gateway is handed it. */
export type LiveConnection = { once(event: string, listener: () => void): unknown } & (
  | { close(code: number, reason: string): unknown }
  | { disconnect(close: boolean): unknown; readonly conn?: { close(): unknown } }
);

interface Watched {
  readonly connection: LiveConnection;
  readonly request: SessionSecurityRequest;
  /** When the session of the request has been read. */
  readonly read: Promise<void>;
}

/** Which connection was opened by whose request. Connections outlive their requests, and need not outlive the session. */
@Injectable()
export class LiveConnections {
  readonly #logger = new Logger('SessionSecurity');
  readonly #watched = new WeakMap<object, Watched>();

  /**
   * Closes a connection when `ended` emits why, and keeps in mind by which request it was opened.
   *
   * @param readSession reads the session of the request, if nothing has done so before
   */
  watch(
    connection: LiveConnection,
    request: SessionSecurityRequest,
    ended: () => Observable<Closing>,
    readSession?: SessionReader,
  ): void {
    const waiting = new Subscription();
    // It may be closed while its session is still being read.
    for (const event of ['close', 'disconnect']) connection.once(event, () => waiting.unsubscribe());
    const read = readSession ? sessionRead(request, readSession) : Promise.resolve();
    const watched = { connection, request, read };
    this.#watched.set(connection, watched);
    // What subscriptions of GraphQL know is the request alone.
    this.#watched.set(request, watched);
    read.then(
      () => {
        if (waiting.closed) return;
        waiting.add(ended().subscribe((closing) => close(connection, closing)));
      },
      (error: unknown) => {
        // Where express-session leaves it.
        const { sessionID } = request as { sessionID?: string };
        const reason = reasonOf(error, sessionID);
        this.#logger.error(`A connection was closed, because its session could not be read: ${reason}`);
        close(connection, CLOSINGS.unread);
      },
    );
  }

  /** Closes a connection that may be opened again: whether its session lives cannot be told any more. */
  giveUp(connectionOrRequest: object): void {
    const watched = this.#watched.get(connectionOrRequest);
    if (watched) close(watched.connection, CLOSINGS.undecided);
  }

  /**
   * By which request a connection was opened, with its session; `undefined` if the connection is not watched. Rejects if
   * the session could not be read.
   */
  async requestOf(connectionOrRequest: object): Promise<SessionSecurityRequest | undefined> {
    const watched = this.#watched.get(connectionOrRequest);
    await watched?.read;
    return watched?.request;
  }
}

/** An upgrade request passes no middleware, so it is given one, with a response that is never sent. */
function sessionRead(request: SessionSecurityRequest, readSession: SessionReader): Promise<void> {
  const response = new ServerResponse(request as unknown as IncomingMessage);
  return new Promise((resolve, reject) => {
    readSession(request as never, response as never, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(error instanceof Error ? error : new Error('the middleware gave no reason'));
    });
  });
}

function close(connection: LiveConnection, { code, reason }: Closing): void {
  if (!('disconnect' in connection)) connection.close(code, reason);
  // A client of socket.io that has been disconnected stays so; one that has lost its connection opens another.
  else if (code === TRY_AGAIN_LATER && connection.conn) connection.conn.close();
  else connection.disconnect(true);
}
