import { useMemo, useSyncExternalStore } from 'react';
import type { SessionSecurityClient } from '../session-security-client.js';
import { followSession } from './session-state.js';
import type { SessionActions, SessionState } from './session-state.js';

export type { SessionActions, SessionState } from './session-state.js';

/**
 * Follows the session in a React component.
 *
 * @example
 * const { phase, remaining, stay } = useSessionSecurity();
 * return phase === 'warning' && <button onClick={stay}>{remaining} s left</button>;
 *
 * @param client what `start()` answered; default: the client that runs on this page
 */
export function useSessionSecurity(client?: SessionSecurityClient): SessionState & SessionActions {
  const session = useMemo(() => followSession(client), [client]);
  const state = useSyncExternalStore(session.follow, session.current, session.current);
  return { ...state, stay: session.stay, signOut: session.signOut };
}
