import { HttpStatus } from '@nestjs/common';
import type { SessionSecurityRequest } from '../options/index.js';
import { ProblemException } from './problem.js';
import type { ResponseHeaders } from './response-headers.js';

/** A ping is a few bytes; anything longer is no ping. */
const LONGEST_BODY = 1024;

type PingRequest = SessionSecurityRequest & { body?: unknown } & AsyncIterable<Uint8Array>;

/**
 * What a ping says: `idleFor`, a finite number of seconds >= 0, or nothing.
 *
 * @throws {ProblemException} 400, 413 or 415 for anything else; the caller must not have moved anything before.
 */
export async function readPingBody(
  request: SessionSecurityRequest,
  response: ResponseHeaders,
): Promise<{ idleFor?: number }> {
  const refuse = (status: number, detail: string): never => {
    throw new ProblemException({ status, title: 'Refused ping', detail, code: 'malformed_ping' }, response);
  };
  const body = await parsedBody(request as PingRequest, refuse);
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return refuse(HttpStatus.BAD_REQUEST, 'The body must be a JSON object.');
  }
  if (!('idleFor' in body)) return {};
  const { idleFor } = body;
  if (typeof idleFor !== 'number' || !Number.isFinite(idleFor) || idleFor < 0) {
    return refuse(HttpStatus.BAD_REQUEST, 'idleFor must be a finite number of seconds, zero or more.');
  }
  return { idleFor };
}

type Refuse = (status: number, detail: string) => never;

/** The body as a parser left it, read here if that is text, or if the application runs without one; `undefined` if there is none. */
async function parsedBody(request: PingRequest, refuse: Refuse): Promise<unknown> {
  const { headers } = request;
  const length = Number(headers['content-length'] ?? 0);
  if (length === 0 && headers['transfer-encoding'] === undefined) return undefined;
  const type = String(headers['content-type'] ?? '')
    .split(';', 1)[0]!
    .trim()
    .toLowerCase();
  if (type !== 'application/json')
    return refuse(HttpStatus.UNSUPPORTED_MEDIA_TYPE, 'The body must be application/json.');
  if (length > LONGEST_BODY) return refuse(HttpStatus.PAYLOAD_TOO_LARGE, 'The body is too large.');
  const { body } = request;
  // A body in chunks says no length, so what a parser has made of it is measured.
  if (sizeOf(body) > LONGEST_BODY) return refuse(HttpStatus.PAYLOAD_TOO_LARGE, 'The body is too large.');
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  if (body !== undefined && !isText) return body;
  const text = isText ? String(body) : await bodyText(request, refuse);
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return refuse(HttpStatus.BAD_REQUEST, 'The body cannot be read as JSON.');
  }
}

function sizeOf(body: unknown): number {
  if (body === undefined) return 0;
  if (typeof body === 'string' || Buffer.isBuffer(body)) return Buffer.byteLength(body);
  try {
    return Buffer.byteLength(JSON.stringify(body));
  } catch {
    // Nested so deeply that it cannot be written again.
    return Infinity;
  }
}

async function bodyText(request: PingRequest, refuse: Refuse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > LONGEST_BODY) break;
      chunks.push(chunk);
    }
  } catch {
    // The browser has hung up, so nobody hears this; thrown on, it would be logged as a failure of the server.
    return refuse(HttpStatus.BAD_REQUEST, 'The body is incomplete.');
  }
  if (length > LONGEST_BODY) return refuse(HttpStatus.PAYLOAD_TOO_LARGE, 'The body is too large.');
  return Buffer.concat(chunks).toString('utf8');
}
