import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import session, { type Store } from 'express-session';
import { onExpress } from '../support/adapters.js';
import { WatchedApp } from '../support/watched-app.js';

const METHODS = ['get', 'set', 'touch', 'destroy', 'regenerate', 'createSession'] as const;

/** What the store's instance has of its own. */
const methodsOf = (store: object): (PropertyDescriptor | undefined)[] =>
  METHODS.map((name) => Object.getOwnPropertyDescriptor(store, name));

describe('S14 two applications on one store, in one process', () => {
  let store: Store;
  let before: ReturnType<typeof methodsOf>;
  const open = new Set<WatchedApp>();
  beforeEach(() => {
    store = new session.MemoryStore();
    // As instrumentation puts its own method before that of the store's class.
    const get = store.get.bind(store);
    store.get = (sessionId, callback) => get(sessionId, callback);
    before = methodsOf(store);
  });
  afterEach(async () => {
    for (const desk of open) await desk.close();
    open.clear();
  });

  const start = async (): Promise<WatchedApp> => {
    const desk = await WatchedApp.start({ store, security: { sessionStore: store } });
    open.add(desk);
    return desk;
  };
  const close = async (desk: WatchedApp): Promise<void> => {
    open.delete(desk);
    await desk.close();
  };

  /** A rotated session is carried over, a sign-out is told, what has ended stays so, and idle users are signed out. */
  const expectGuarded = async (desk: WatchedApp): Promise<void> => {
    const anna = await desk.signedIn('anna');
    const beforeRotation = anna.copy();
    await anna.post('/rotate').expect(201);
    expect([await anna.user(), await beforeRotation.user()]).toEqual(['anna', null]);

    const ben = await desk.signedIn('ben');
    const blob = desk.stored()[ben.sessionId] as session.SessionData;
    await ben.copy().post('/logout').expect(201);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout', userId: 'ben' })]);
    // A handler that began before the sign-out saves the session now.
    await new Promise((resolve) => store.set(ben.sessionId, blob, resolve));
    expect([await ben.user(), desk.stored()[ben.sessionId]]).toEqual([null, undefined]);

    await desk.clock.advance(12);
    expect(await anna.user()).toBeNull();
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ userId: 'anna' })]);
  };

  it.each(['first', 'last'] as const)(
    'are guarded, the one when the other, which came %s, has closed',
    async (closing) => {
      const [older, newer] = [await start(), await start()];
      const [leaving, staying] = closing === 'first' ? [older, newer] : [newer, older];
      await close(leaving);
      await expectGuarded(staying);
      await close(staying);
      expect(methodsOf(store)).toEqual(before);
    },
  );

  it('are guarded where the one begins when another has closed beneath a third', async () => {
    const [first, second] = [await start(), await start()];
    await close(first);
    const third = await start();
    await close(second);
    await expectGuarded(third);
    await close(third);
    expect(methodsOf(store)).toEqual(before);
  });

  it('leave the methods of others before theirs where they are', async () => {
    const desk = await start();
    const theirs = store.destroy.bind(store);
    const destroyed: string[] = [];
    const theirDestroy = (sessionId: string, callback?: (error?: unknown) => void): void => {
      destroyed.push(sessionId);
      theirs(sessionId, callback);
    };
    store.destroy = theirDestroy;
    await close(desk);
    expect(Object.getOwnPropertyDescriptor(store, 'destroy')?.value).toBe(theirDestroy);
    const next = await start();
    const { sessionId } = await next.signedIn();
    await new Promise((resolve) => store.destroy(sessionId, resolve));
    expect(destroyed).toContain(sessionId);
    expect(next.stored()[sessionId]).toBeUndefined();
    expect(next.log.of('end')).toHaveLength(1);
  });

  onExpress('are not guarded again by a request that comes when its application has closed', async () => {
    const desk = await start();
    await close(desk);
    desk.security.referenceOf({ session: {}, sessionID: 'late', sessionStore: store } as never);
    expect(methodsOf(store)).toEqual(before);
  });
});
