import { computed, DestroyRef, inject, InjectionToken, signal } from '@angular/core';
import type { Signal } from '@angular/core';
import type { SessionSecurityClient } from '../session-security-client.js';
import { followSession } from './session-state.js';
import type { SessionActions, SessionState } from './session-state.js';

export type { SessionActions, SessionState } from './session-state.js';

/** The session in signals. */
export type SessionSignals = {
  readonly [Key in keyof SessionState]: Signal<SessionState[Key]>;
} & SessionActions;

/** The client to follow; provide what `start()` answered, or leave it: the client that runs on this page. */
export const SESSION_SECURITY_CLIENT = new InjectionToken<SessionSecurityClient | undefined>(
  'SESSION_SECURITY_CLIENT',
  { providedIn: 'root', factory: () => globalThis.sessionSecurity },
);

/** Follows the session; to be called where `inject()` may be. */
export function sessionSignals(): SessionSignals {
  const { current, follow, stay, signOut } = followSession(inject(SESSION_SECURITY_CLIENT));
  const state = signal(current());
  inject(DestroyRef).onDestroy(follow(() => state.set(current())));
  return {
    phase: computed(() => state().phase),
    reason: computed(() => state().reason),
    remaining: computed(() => state().remaining),
    stay,
    signOut,
  };
}

/**
 * The session of an Angular application, one for all of it.
 *
 * @example
 * ```ts
 * readonly session = inject(SessionSecurity);
 * // template: @if (session.phase() === 'warning') { <button (click)="session.stay()">{{ session.remaining() }} s left</button> }
 * ```
 */
export const SessionSecurity = new InjectionToken<SessionSignals>('SessionSecurity', {
  providedIn: 'root',
  factory: sessionSignals,
});
