import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeadlineWheel } from '../../../lib/activity/deadline-wheel.js';

const START = 1_000_000_000;

describe('the deadline wheel', () => {
  let wheel: DeadlineWheel;
  beforeEach(() => {
    wheel = new DeadlineWheel(START);
    wheel.resize(64);
  });

  const takeAll = (now: number): number[] => {
    const taken: number[] = [];
    for (let slot = wheel.take(now); slot !== -1; slot = wheel.take(now)) taken.push(slot);
    return taken.sort((a, b) => a - b);
  };

  it('V2 hands a slot out at the first quarter of a second at or after its deadline, never before', () => {
    wheel.file(1, START + 2_000);
    wheel.file(2, START + 2_001);
    expect(takeAll(START + 1_999)).toEqual([]);
    expect(takeAll(START + 2_000)).toEqual([1]);
    expect(takeAll(START + 2_249)).toEqual([]);
    expect(takeAll(START + 2_250)).toEqual([2]);
    expect(takeAll(START + 99_000)).toEqual([]);
  });

  it('V2 hands out what lies in the past at once', () => {
    wheel.file(1, START - 50_000);
    expect(takeAll(START)).toEqual([1]);
  });

  it('T11 lets deadlines beyond its range pass through, to be filed again', () => {
    wheel.file(1, START + 30 * 86_400_000);
    wheel.file(2, Infinity);
    expect(takeAll(START + 4_095_500)).toEqual([]);
    expect(takeAll(START + 4_095_750)).toEqual([1, 2]);
  });

  it('S9 loses nothing when the clock jumps by more than its whole range', () => {
    for (let slot = 0; slot < 64; slot++) wheel.file(slot, START + slot * 60_000);
    expect(takeAll(START + 90_000_000)).toHaveLength(64);
  });

  it('unfiles from the beginning, the middle and the end of a bucket, and files again', () => {
    for (const slot of [1, 2, 3, 4]) wheel.file(slot, START + 1_000);
    for (const slot of [1, 3, 4, 4, 9]) wheel.unfile(slot);
    wheel.file(3, START + 5_000);
    wheel.file(3, START + 1_000);
    expect(takeAll(START + 1_000)).toEqual([2, 3]);
    expect(takeAll(START + 9_000)).toEqual([]);
  });

  it('keeps its entries when it grows', () => {
    wheel.file(63, START + 1_000);
    wheel.resize(128);
    wheel.file(127, START + 1_000);
    expect(takeAll(START + 1_000)).toEqual([63, 127]);
  });
});
