/** The member of a session's data that says: the store could not read it. */
const UNREADABLE = 'sessionSecurityUnreadable';

/**
 * What stands in for a session that the store could not read. The session library makes a session of it under the id of
 * the cookie, in which nobody is signed in. An error instead would be answered 500 by the application, and no session at
 * all would make the library invent a new id and overwrite the cookie of a session that lives.
 */
export function unreadable(error: unknown): Record<string, unknown> {
  return { cookie: { originalMaxAge: null }, [UNREADABLE]: { error } };
}

export function isUnreadable(session: unknown): boolean {
  return (session as Record<string, unknown> | null)?.[UNREADABLE] !== undefined;
}

/** Why the session could not be read. */
export function errorOf(session: object): unknown {
  return (session as { [UNREADABLE]?: { error: unknown } })[UNREADABLE]?.error;
}
