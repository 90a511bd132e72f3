import { computed, onScopeDispose, shallowRef } from 'vue';
import type { ComputedRef } from 'vue';
import type { SessionSecurityClient } from '../session-security-client.js';
import { followSession } from './session-state.js';
import type { SessionActions, SessionState } from './session-state.js';

export type { SessionActions, SessionState } from './session-state.js';

/**
 * Follows the session in a Vue component, or in any other effect scope.
 *
 * @example
 * const { phase, remaining, stay } = useSessionSecurity();
 *
 * @param client what `start()` answered; default: the client that runs on this page
 */
export function useSessionSecurity(
  client?: SessionSecurityClient,
): { [Key in keyof SessionState]: ComputedRef<SessionState[Key]> } & SessionActions {
  const { current, follow, stay, signOut } = followSession(client);
  const state = shallowRef(current());
  onScopeDispose(follow(() => (state.value = current())));
  return {
    phase: computed(() => state.value.phase),
    reason: computed(() => state.value.reason),
    remaining: computed(() => state.value.remaining),
    stay,
    signOut,
  };
}
