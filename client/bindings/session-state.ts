import type { Phase } from '../core/ports.js';
import type { SessionSecurityClient } from '../session-security-client.js';

/** What a component shows of the session. */
export interface SessionState {
  readonly phase: Phase;
  /** Seconds that the person can count on; follows the countdown during a warning. Infinity when nothing is watched. */
  readonly remaining: number;
}

/** What a component can do. */
export interface SessionActions {
  /** The person wants to stay; the server's answer ends the warning. */
  readonly stay: () => void;
  /** Ends the session; answers whether that worked. */
  readonly signOut: () => Promise<boolean>;
}

/** The session as frameworks follow it: a state that is another object whenever it has changed. */
export interface FollowedSession extends SessionActions {
  current: () => SessionState;
  /** Calls `changed` after every change; answers how to stop. */
  follow: (changed: () => void) => () => void;
}

const EVENTS = ['active', 'warn', 'tick', 'extended', 'cover', 'expire'] as const;

/** @param client undefined on the server and on pages without the client: nothing is watched there */
export function followSession(
  client: SessionSecurityClient | undefined = globalThis.sessionSecurity,
): FollowedSession {
  const read = (): SessionState => ({
    phase: client?.phase() ?? 'inert',
    remaining: client?.remaining() ?? Infinity,
  });
  let state = read();
  return {
    current: () => state,
    follow(changed) {
      const update = (): void => {
        state = read();
        changed();
      };
      for (const type of EVENTS) client?.addEventListener(type, update);
      update();
      return () => {
        for (const type of EVENTS) client?.removeEventListener(type, update);
      };
    },
    stay: () => client?.stay(),
    signOut: async () => (await client?.signOut()) ?? false,
  };
}
