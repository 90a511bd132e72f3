import { describe, expect, it } from '@jest/globals';
import { Recollections } from '../../../lib/activity/recollections.js';

describe('what is remembered of session ids', () => {
  it('finds each by its id, however short, and the later of two', () => {
    const recollections = new Recollections<{ at: number }>(1000);
    const ids = ['', 'a', 'ab', 'ba', ...Array.from({ length: 1000 }, (_, index) => `session ${index}`)];
    for (const [at, id] of ids.entries()) recollections.set(id, { at });
    recollections.set('ab', { at: 5000 });
    expect(ids.map((id) => recollections.get(id)?.at)).toEqual(
      ids.map((id, at) => (id === 'ab' ? 5000 : at)),
    );
    expect([recollections.has('abc'), recollections.get('abc')]).toEqual([false, undefined]);
  });

  it('forgets them when their time is over, and not those that were set anew meanwhile', () => {
    const recollections = new Recollections<{ at: number }>(1000);
    for (const id of ['old', 'anew', 'young']) recollections.set(id, { at: id === 'young' ? 500 : 0 });
    recollections.set('anew', { at: 700 });
    recollections.sweep(1000);
    expect(['old', 'anew', 'young'].map((id) => recollections.has(id))).toEqual([false, true, true]);
  });
});
