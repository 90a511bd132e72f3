/** The member of a session's data that says: this session is watched. Written once, when watching begins. */
export const MARKER = 'sessionSecurity';

/**
 * A session that carries the marker but has no live record is dead: this is what keeps a session that another request
 * writes back after its end from being used. `startedAt` ties the marker to one life of the session id.
 */
export interface SessionMarker {
  readonly version: 1;
  readonly startedAt: number;
}

export function readMarker(data: Record<string, unknown>): SessionMarker | undefined {
  const marker = data[MARKER] as Partial<SessionMarker> | null | undefined;
  if (marker === undefined) return undefined;
  const startedAt = marker !== null && typeof marker === 'object' ? marker.startedAt : undefined;
  // What cannot be read still says that the session was watched once.
  return { version: 1, startedAt: typeof startedAt === 'number' ? startedAt : NaN };
}

export function writeMarker(data: Record<string, unknown>, startedAt: number): void {
  data[MARKER] = { version: 1, startedAt } satisfies SessionMarker;
}

export function eraseMarker(data: Record<string, unknown>): void {
  delete data[MARKER];
}
