import type { SessionData } from 'express-session';
import { type DemoUser, findUser } from './demo-users.js';

declare module 'express-session' {
  interface SessionData {
    /** Who is signed in with this session. */
    userId?: string;
  }
}

/** Whatever carries a session: Express's request, or what the session module hands to functions in its options. */
interface RequestWithSession {
  session?: unknown;
}

export function userIdOf({ session }: RequestWithSession): string | undefined {
  return (session as Partial<SessionData> | undefined)?.userId;
}

/** The user of a request that {@link SignedInGuard} has let in. */
export function signedInUser(request: RequestWithSession): DemoUser {
  const user = findUser(userIdOf(request));
  if (user === undefined) throw new Error('This route needs SignedInGuard');
  return user;
}
