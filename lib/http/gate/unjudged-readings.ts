import { readMarker } from '../session-marker.js';

/** By a session's data, and by what a session library has made of it. */
const readings = new WeakMap<object, number>();

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
  return readings.get(data);
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
