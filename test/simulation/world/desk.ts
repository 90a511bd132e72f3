import { AllowExpired, Passive } from '../../../lib/index.js';
import type { Visit } from './visit.js';

/**
 * The application of the world: what its handlers do with a session, slowly where the visit says so, and nothing else.
 * Each tells the witness what it did in the same instant in which it did it.
 */
export class Desk {
  view(visit: Visit): Promise<void> {
    return visit.dawdle();
  }

  @Passive()
  poll(visit: Visit): Promise<void> {
    return visit.dawdle();
  }

  async write(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (visit.session) visit.session.note = visit.number;
    await visit.dawdle();
  }

  /** As it should be done: with a new session id. */
  @AllowExpired()
  async signIn(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (!visit.session) return;
    visit.tellEnding('replaced');
    await visit.regenerate();
    visit.session.user = { id: visit.plan.user! };
    visit.tellSignIn();
    await visit.dawdle();
  }

  /** As it should not be done: under the session id that was there, unless it is their own already. */
  @AllowExpired()
  async signInHere(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (!visit.session || visit.session.user?.id === visit.plan.user) return;
    visit.session.user = { id: visit.plan.user! };
    await visit.dawdle();
    visit.tellEnding('replaced');
    visit.tellSignIn();
  }

  /** A raw handler that signs in: no guard and no interceptor sees it. */
  signInUnseen(visit: Visit): void {
    if (!visit.session || visit.session.user) return;
    visit.session.user = { id: visit.plan.user! };
    visit.tellSignIn();
  }

  /** The same session under a new id, as after a change of privileges. */
  async rotate(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (!visit.session) return;
    const data: Record<string, unknown> = { ...visit.session };
    delete data.cookie;
    visit.tellRotating();
    await visit.regenerate();
    Object.assign(visit.session, data);
    visit.tellRotated();
    await visit.dawdle();
  }

  async logOut(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (!visit.session) return;
    visit.tellEnding('logout');
    await visit.destroy();
    await visit.dawdle();
  }

  /** Signs out and keeps the session for the anonymous visitor. */
  async forget(visit: Visit): Promise<void> {
    await visit.dawdle();
    if (!visit.session?.user) return;
    delete visit.session.user;
    await visit.dawdle();
    visit.tellEnding('logout');
  }
}
