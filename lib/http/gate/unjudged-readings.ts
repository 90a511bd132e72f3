import { readMarker } from '../session-marker.js';

/** By a session's data, and by what a session library has made of it. */
const readings = new WeakMap<object, number>();

const READING = Symbol('session-security-reading');

interface DatedRequest {
  [READING]?: number | undefined;
}

/** Where sessions hold their request, once that has been found. */
let requestSymbol: symbol | undefined;

/**
 * Takes note of when a session was read. What carries the marker says by itself to which life it belongs; what does not
 * may be of before a sign-out, until it has been judged.
 *
 * @param leavings how many sessions had ended by then and left their ids in use
 */
export function noteReading(data: Record<string, unknown>, leavings: number): void {
  if (!readMarker(data)) readings.set(data, leavings);
}

export function readingOf(data: object): number | undefined {
  return readings.get(data) ?? readingOfRequest(data);
}

/**
 * Takes note on a request of when its session is read, where the session library makes an object of its own of what it is
 * given and nobody is told of that.
 */
export function dateRequest(request: object, leavings: number): void {
  (request as DatedRequest)[READING] = leavings;
}

/** Takes the note off a request, when its session can be seen. */
export function takeDate(request: object): number | undefined {
  const reading = (request as DatedRequest)[READING];
  if (reading !== undefined) (request as DatedRequest)[READING] = undefined;
  return reading;
}

/**
 * What the note on its request says of a session that is written before it could be seen there: sessions of
 * `@fastify/session` hold their request under a symbol, whose name is its own affair.
 */
function readingOfRequest(session: object): number | undefined {
  if (requestSymbol === undefined || !(requestSymbol in session))
    requestSymbol = Object.getOwnPropertySymbols(session).find((symbol) => isDated(session, symbol));
  return requestSymbol && (session as Record<symbol, DatedRequest>)[requestSymbol]?.[READING];
}

function isDated(session: object, symbol: symbol): boolean {
  const held: unknown = Reflect.get(session, symbol);
  return typeof held === 'object' && held !== null && READING in held;
}

/** The session library goes on with another object. */
export function passReadingOn(data: object, session: object): void {
  const reading = readings.get(data);
  if (reading !== undefined) readings.set(session, reading);
}

/** It has been judged: from now on the marker says what it is. */
export function forgetReading(data: object): void {
  readings.delete(data);
}
