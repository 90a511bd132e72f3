import type { Phase, Standing, StandingEvent } from '../core/ports.js';
import type { SessionSecurityClient } from '../session-security-client.js';
import type { SessionSecurityEventMap } from '../typed-event-target.js';

/** What a component shows of the session. */
export interface SessionState {
  readonly phase: Phase;
  /** What ends the session first: nobody can stay beyond `lifetime`. Undefined until the client has told. */
  readonly reason: Standing['reason'] | undefined;
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

const STANDING_EVENTS = ['active', 'warn', 'tick', 'extended', 'cover'] as const;

/** @param client undefined on the server and on pages without the client: nothing is watched there */
export function followSession(
  client: SessionSecurityClient | undefined = globalThis.sessionSecurity,
): FollowedSession {
  let reason: SessionState['reason'];
  const read = (): SessionState => ({
    phase: client?.phase() ?? 'inert',
    reason,
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
      const onStanding = ({ detail }: SessionSecurityEventMap[StandingEvent]): void => {
        ({ reason } = detail);
        update();
      };
      for (const type of STANDING_EVENTS) client?.addEventListener(type, onStanding);
      client?.addEventListener('expire', update);
      update();
      return () => {
        for (const type of STANDING_EVENTS) client?.removeEventListener(type, onStanding);
        client?.removeEventListener('expire', update);
      };
    },
    stay: () => client?.stay(),
    signOut: async () => (await client?.signOut()) ?? false,
  };
}
