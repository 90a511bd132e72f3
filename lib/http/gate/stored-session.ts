/** A session as express-session hands it to its store, and wants it back. */
export interface StoredSession extends Record<string, unknown> {
  readonly cookie: {
    readonly originalMaxAge?: number | null;
    readonly expires?: string | Date | null;
  };
  touch?(): unknown;
}

/**
 * What the store holds under a session's id, if a session can be made of it. Whatever else has got there, by another
 * program or by accident, is no session: express-session would throw on it, or fail to write its cookie, so that its
 * owner could not even sign in anew.
 */
export function storedSession(value: unknown): StoredSession | undefined {
  if (!isObject(value) || !isObject(value['cookie'])) return undefined;
  const { originalMaxAge = null, expires = null } = value['cookie'];
  const isAge = originalMaxAge === null || Number.isFinite(originalMaxAge);
  const isDate = expires === null || Number.isFinite(new Date(expires as string).getTime());
  return isAge && isDate ? (value as StoredSession) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
