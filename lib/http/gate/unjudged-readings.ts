import type { Leaving } from '../../activity/tombstones.js';
import { readMarker } from '../session-marker.js';

/** When a session was read: after this sign-out that left its id in use, if there had been any, and before the next. */
export interface Reading {
  readonly after: Leaving | undefined;
}

/** By a session's data, and by what a session library has made of it. */
const readings = new WeakMap<object, Reading>();

/**
 * Takes note of when a session was read. What carries the marker says by itself to which life it belongs; what does not
 * may be of before a sign-out, until it has been judged.
 */
export function noteReading(data: Record<string, unknown>, after: Leaving | undefined): void {
  if (!readMarker(data)) readings.set(data, { after });
}

export function readingOf(data: object): Reading | undefined {
  return readings.get(data);
}

/** The session library goes on with another object. */
export function passReadingOn(data: object, session: object): void {
  const reading = readings.get(data);
  if (reading) readings.set(session, reading);
}

/** It has been judged: from now on the marker says what it is. */
export function forgetReading(data: object): void {
  readings.delete(data);
}
