/** What the module keeps stands beside the sessions in the same store, under keys that begin so. */
export const SIBLING_PREFIX = 'session-security-';

/** An entry that session stores take for a session, and drop when its time is over. */
export function siblingEntry(content: Record<string, unknown>, lifetimeMs: number, now: number): object {
  const cookie = {
    originalMaxAge: lifetimeMs,
    expires: new Date(now + lifetimeMs).toISOString(),
    httpOnly: true,
    path: '/',
  };
  return { cookie, ...content };
}
