/** The member of a session's data that says: this session is watched. Written once, when watching begins. */
export const MARKER = 'sessionSecurity';

/**
 * A session that carries the marker but has no live record is dead: this is what keeps a session that another request
 * writes back after its end from being used. `life` ties the marker to one life of the
 * session id.
 */
export interface SessionMarker {
  readonly version: 1;
  readonly life: number;
}

export function readMarker(data: Record<string, unknown>): SessionMarker | undefined {
  const marker = data[MARKER] as Partial<SessionMarker> | null | undefined;
  if (marker === undefined) return undefined;
  const life = marker !== null && typeof marker === 'object' ? marker.life : undefined;
  // What cannot be read still says that the session was watched once.
  return { version: 1, life: typeof life === 'number' ? life : NaN };
}

export function writeMarker(data: Record<string, unknown>, life: number): void {
  data[MARKER] = { version: 1, life } satisfies SessionMarker;
}

export function eraseMarker(data: Record<string, unknown>): void {
  delete data[MARKER];
}
