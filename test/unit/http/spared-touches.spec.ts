import { beforeEach, describe, expect, test } from '@jest/globals';
import session from 'express-session';
import { SparedTouches } from '../../../lib/http/gate/spared-touches.js';
import type { StoredSession } from '../../../lib/http/gate/stored-session.js';
import { NEVER } from '../../../lib/policy/index.js';
import { VirtualClock } from '../../../lib/testing/index.js';

const IDLE_S = 600;
const LONG = (IDLE_S + 60) * 1000;
const LIMITS = { warnAfter: 500, expireAfter: IDLE_S };

let clock: VirtualClock;
let limits: typeof LIMITS | undefined;
let touches: SparedTouches;
beforeEach(() => {
  clock = new VirtualClock();
  limits = LIMITS;
  touches = new SparedTouches(() => limits, clock);
});

const withCookie = (cookie: object): StoredSession => ({ cookie });

/** Whether the store is spared the second touch of a session that has this cookie. */
function spares(store: object, originalMaxAge: number | null = null): boolean {
  touches.note(store, 'id', withCookie({ originalMaxAge }));
  return touches.isSpared('id', withCookie({ originalMaxAge }));
}

class MemoryStore {
  constructor(readonly options: { ttl?: unknown }) {}
}

describe('a touch is spared', () => {
  test.each([
    ['of a MemoryStore', new session.MemoryStore(), null],
    ['of a store that keeps sessions for long enough', { ttl: LONG / 1000 }, null],
    ['of one that says so in its options', { options: { ttl: LONG / 1000 } }, null],
    ['of a session whose cookie lives for long enough', {}, LONG],
  ])('%s', (_, store, age) => expect(spares(store, age)).toBe(true));

  test('for ten seconds', () => {
    expect(spares({}, LONG)).toBe(true);
    clock.jump(9);
    expect(touches.isSpared('id', withCookie({ originalMaxAge: LONG }))).toBe(true);
    clock.jump(1);
    expect(touches.isSpared('id', withCookie({ originalMaxAge: LONG }))).toBe(false);
  });

  test('where the session library has counted the age anew', () => {
    expect(spares({}, LONG)).toBe(true);
    expect(touches.isSpared('id', withCookie({ originalMaxAge: LONG - 1 }))).toBe(true);
  });
});

describe('the store is told', () => {
  test.each([
    ['where the cookie lives as long as the session', {}, IDLE_S * 1000],
    ['where it lives too little longer', {}, LONG - 1],
    ['where the store keeps sessions for less than the cookie lives', { ttl: IDLE_S }, LONG],
    ['where nobody knows how long it keeps them', {}, null],
    ['where a function says how long', { ttl: () => 1 }, LONG],
    ['where an option is in milliseconds', new MemoryStore({ ttl: LONG }), LONG],
    ["where another store is called as express-session's", new MemoryStore({}), null],
  ])('%s', (_, store, age) => expect(spares(store, age)).toBe(false));

  test('of a session without a cookie', () => {
    touches.note({}, 'id', {});
    expect(touches.isSpared('id', {})).toBe(false);
  });

  test('of a session that nobody watches', () => {
    limits = undefined;
    expect(spares({}, LONG)).toBe(false);
  });

  test('of a user who is never signed out', () => {
    limits = NEVER;
    expect(spares({}, LONG)).toBe(false);
  });

  test.each([{ originalMaxAge: LONG * 2 }, { originalMaxAge: null }, { originalMaxAge: LONG, secure: true }])(
    'when the cookie has become %j',
    (cookie) => {
      expect(spares({}, LONG)).toBe(true);
      expect(touches.isSpared('id', withCookie(cookie))).toBe(false);
    },
  );

  test('when it was told something else in between that says nothing for long', () => {
    expect(spares({}, LONG)).toBe(true);
    touches.note({}, 'id', withCookie({ originalMaxAge: 3000 }));
    expect(touches.isSpared('id', withCookie({ originalMaxAge: LONG }))).toBe(false);
  });

  test('when the application has changed the very cookie that it was told', () => {
    const cookie = { originalMaxAge: LONG };
    touches.note({}, 'id', withCookie(cookie));
    cookie.originalMaxAge = LONG / 2;
    expect(touches.isSpared('id', withCookie(cookie))).toBe(false);
  });

  test('when it was not to be told or has been told something else since', () => {
    expect(spares({}, LONG)).toBe(true);
    touches.forget('id');
    expect(touches.isSpared('id', withCookie({ originalMaxAge: LONG }))).toBe(false);
  });
});
