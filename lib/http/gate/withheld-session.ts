/** The member of a session's data that says: it stands in for one that is not given out. */
const WITHHELD = 'sessionSecurityWithheld';

/** Why a session is not given out, although its cookie is genuine and it need not be over. */
export type Withholding =
  /** The store could not read it. */
  | 'unreadable'
  /** It goes on under another id. */
  | 'moved';

interface Withheld {
  readonly why: Withholding;
  readonly error?: unknown;
}

/**
 * What stands in for a session that is not given out. The session library makes a session of it under the id of the
 * cookie, in which nobody is signed in and which is never written. An error instead would be answered 500 by the
 * application; and for no session at all the library would invent a new id, overwrite the cookie of a session that lives,
 * and nobody would know any more that the request has proved to hold that one.
 */
export function withheld(why: Withholding, error?: unknown): Record<string, unknown> {
  return { cookie: { originalMaxAge: null }, [WITHHELD]: { why, error } satisfies Withheld };
}

export function withholdingOf(session: unknown): Withholding | undefined {
  return memberOf(session)?.why;
}

/** Why the session could not be read. */
export function errorOf(session: object): unknown {
  return memberOf(session)?.error;
}

function memberOf(session: unknown): Withheld | undefined {
  return (session as { [WITHHELD]?: Withheld } | null | undefined)?.[WITHHELD];
}
