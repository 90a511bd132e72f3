import { describe, expect, test } from '@jest/globals';
import { parseAnswer, readReply } from '../../../client/core/answer.js';

const live = {
  state: 'active',
  reason: null,
  idleFor: 12.4,
  warnIn: 527.6,
  expireIn: 587.6,
  lifetimeIn: null,
  limits: { warnAfter: 540, expireAfter: 600, maxLifetime: null },
  owner: 'k3J',
  redirectTo: null,
};

describe('answers', () => {
  test.each(['active', 'warning'])('T13 a well-formed answer of state %s is taken', (state) => {
    expect(parseAnswer({ ...live, state })).toMatchObject({ state, expireIn: 587.6 });
  });

  test.each(['expired', 'anonymous', 'exempt'])('T13 the state %s needs nothing else', (state) => {
    expect(parseAnswer({ state })).toEqual({ state });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['text', 'active'],
    ['a number', 1],
    ['a list', ['active']],
    ['no state', { ...live, state: undefined }],
    ['a state in a list', { ...live, state: ['active'] }],
    ['a state of another name', { ...live, state: 'constructor' }],
    ['idleFor as text', { ...live, idleFor: '12' }],
    ['idleFor missing', { ...live, idleFor: undefined }],
    ['expireIn that is nothing', { ...live, expireIn: 0 }],
    ['expireIn without end', { ...live, expireIn: Infinity }],
    ['a negative lifetime', { ...live, lifetimeIn: -1 }],
    ['limits missing', { ...live, limits: undefined }],
    ['limits as text', { ...live, limits: 'none' }],
    ['limits the wrong way round', { ...live, limits: { warnAfter: 600, expireAfter: 540 } }],
    ['an owner that is none', { ...live, owner: null }],
  ])('T13 %s is no answer', (_, body) => {
    expect(parseAnswer(body)).toBeUndefined();
  });

  test('T13 the same body with another status is no answer', () => {
    for (const status of [0, 100, 201, 204, 400, 404, 418, 500])
      expect(readReply({ status, body: live, retryAfter: null })).toBeUndefined();
  });
});
