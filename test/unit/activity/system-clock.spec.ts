import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from '../../../lib/activity/clock.js';

describe('the system clock', () => {
  let wall = 1_000_000;
  let monotonic = 500;
  beforeEach(() => {
    [wall, monotonic] = [1_000_000, 500];
    jest.spyOn(Date, 'now').mockImplementation(() => wall);
    jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const pass = (milliseconds: number): void => {
    wall += milliseconds;
    monotonic += milliseconds;
  };

  it('T9 goes on at its pace when the wall clock is set back', () => {
    const clock = new SystemClock();
    expect(clock.now()).toBe(1_000_000);
    wall -= 3_600_000;
    pass(1_000);
    expect(clock.now()).toBe(1_001_000);
  });

  it('T1 counts the time asleep, in which the monotonic clock stands still', () => {
    const clock = new SystemClock();
    clock.now();
    wall += 3_600_000;
    expect(clock.now()).toBe(4_600_000);
  });

  it('calls back until it is told to stop', () => {
    jest.useFakeTimers();
    const callback = jest.fn();
    const stop = new SystemClock().every(1_000, callback);
    jest.advanceTimersByTime(3_500);
    stop();
    jest.advanceTimersByTime(3_500);
    jest.useRealTimers();
    expect(callback).toHaveBeenCalledTimes(3);
  });

  it('calls back at the turn of each quarter of a second, however late the last call was', () => {
    jest.useFakeTimers({ doNotFake: ['Date', 'performance'] });
    [wall, monotonic] = [1_000_300, 500];
    const clock = new SystemClock();
    const calledAt: number[] = [];
    const stop = clock.everyQuarter(() => calledAt.push(clock.now()));
    const passTimers = (milliseconds: number): void => {
      pass(milliseconds);
      jest.advanceTimersByTime(milliseconds);
    };
    passTimers(200);
    // A busy process: its timer is called when it should have been long ago.
    pass(90);
    passTimers(250);
    passTimers(160);
    stop();
    passTimers(5_000);
    jest.useRealTimers();
    expect(calledAt).toEqual([1_000_500, 1_000_840, 1_001_000]);
  });
});
