import { describe, expect, test } from '@jest/globals';
import { createEnvironmentInjector, Injector } from '@angular/core';
import type { EnvironmentInjector } from '@angular/core';
import {
  SESSION_SECURITY_CLIENT,
  SessionSecurity,
  sessionSignals,
} from '../../../client/bindings/angular.js';
import { followSession } from '../../../client/bindings/session-state.js';
import type { SessionSecurityClient } from '../../../client/session-security-client.js';

class FakeClient extends EventTarget {
  state: [phase: string, remaining: number] = ['active', 600];
  readonly calls: string[] = [];
  listeners = 0;
  phase = () => this.state[0];
  remaining = () => this.state[1];
  stay = () => void this.calls.push('stay');
  signOut = () => Promise.resolve(this.calls.push('signOut') > 0);

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }

  become(type: string, phase: string, remaining: number, reason = 'idle'): void {
    this.state = [phase, remaining];
    this.dispatchEvent(new CustomEvent(type, { detail: { reason, remaining } }));
  }

  get asClient(): SessionSecurityClient {
    return this as unknown as SessionSecurityClient;
  }
}

describe('D4 what the bindings follow', () => {
  test('D4 is another object after each change, and the same between', () => {
    const client = new FakeClient();
    const session = followSession(client.asClient);
    const seen: unknown[] = [];
    const stop = session.follow(() => seen.push(session.current()));
    expect(session.current()).toBe(session.current());
    client.become('warn', 'warning', 60);
    client.become('tick', 'warning', 59);
    client.become('warn', 'warning', 58, 'lifetime');
    // How a session has ended is no standing.
    client.become('expire', 'expired', 0, 'revoked');
    expect(seen).toEqual([
      { phase: 'active', reason: undefined, remaining: 600 },
      { phase: 'warning', reason: 'idle', remaining: 60 },
      { phase: 'warning', reason: 'idle', remaining: 59 },
      { phase: 'warning', reason: 'lifetime', remaining: 58 },
      { phase: 'expired', reason: 'lifetime', remaining: 0 },
    ]);
    stop();
    expect(client.listeners).toBe(0);
  });

  test('D4 is nothing where there is no client, as on a server', async () => {
    const session = followSession();
    session.follow(() => {})();
    session.stay();
    expect(session.current()).toEqual({ phase: 'inert', remaining: Infinity });
    expect(await session.signOut()).toBe(false);
  });
});

describe('D4 the binding for Angular', () => {
  test('D4 gives signals that follow the session until the application is destroyed', async () => {
    const client = new FakeClient();
    const root = Injector.create({ providers: [] }) as EnvironmentInjector;
    const application = createEnvironmentInjector(
      [
        { provide: SESSION_SECURITY_CLIENT, useValue: client.asClient },
        { provide: SessionSecurity, useFactory: sessionSignals },
      ],
      root,
    );
    const session = application.get(SessionSecurity);
    expect([session.phase(), session.remaining()]).toEqual(['active', 600]);
    client.become('warn', 'warning', 60, 'lifetime');
    expect([session.phase(), session.reason(), session.remaining()]).toEqual(['warning', 'lifetime', 60]);
    session.stay();
    expect(await session.signOut()).toBe(true);
    expect(client.calls).toEqual(['stay', 'signOut']);
    application.destroy();
    expect(client.listeners).toBe(0);
  });
});
