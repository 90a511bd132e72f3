import { expect, test } from '@jest/globals';
import { steadyClock } from '../../../client/core/steady-clock.js';

/** A machine whose two clocks can be moved apart. */
function machine() {
  const clocks = { wallMs: 1e12, monotonicMs: 5000 };
  const now = steadyClock({ wall: () => clocks.wallMs, monotonic: () => clocks.monotonicMs });
  const start = now();
  const pass = (wallMs: number, monotonicMs = wallMs) => {
    clocks.wallMs += wallMs;
    clocks.monotonicMs += monotonicMs;
  };
  return { pass, elapsed: () => (now() - start) * 1000 };
}

test('T1 counts sleep, during which the monotonic clock stands still', () => {
  const { pass, elapsed } = machine();
  pass(1000);
  pass(3_600_000, 0);
  pass(1000);
  expect(elapsed()).toBe(3_602_000);
});

test('T9 a wall clock that is set back takes nothing away', () => {
  const { pass, elapsed } = machine();
  pass(-3_600_000, 0);
  expect(elapsed()).toBe(0);
  pass(1000);
  expect(elapsed()).toBe(1000);
});

test('T9 sleep after a clock was set back is counted', () => {
  const { pass, elapsed } = machine();
  pass(-3_600_000, 0);
  elapsed();
  pass(60_000, 0);
  expect(elapsed()).toBe(60_000);
});

test('A5 reading it often adds nothing: rounding of the clocks does not pile up', () => {
  const { pass, elapsed } = machine();
  for (let reading = 0; reading < 10_000; reading++) {
    pass(reading % 2 ? 2 : 0, 1);
    elapsed();
  }
  expect(elapsed()).toBe(10_000);
});

test('A5 a burst of readings reads the expensive clock once, and sees sleep nevertheless', () => {
  const clocks = { wallMs: 1e12, monotonicMs: 5000, readings: 0 };
  const now = steadyClock({
    wall: () => clocks.wallMs,
    monotonic() {
      clocks.readings++;
      return clocks.monotonicMs;
    },
  });
  const start = now();
  clocks.readings = 0;
  for (let reading = 0; reading < 1000; reading++) {
    clocks.wallMs += 0.25;
    clocks.monotonicMs += 0.25;
    expect(now()).toBeCloseTo(start + (reading + 1) / 4000, 4);
  }
  expect(clocks.readings).toBe(0);
  clocks.wallMs += 3_600_000;
  expect(now()).toBeCloseTo(start + 3600.25, 4);
});

test('T9 a wall clock that stands still, as tests may make it, stops nothing', () => {
  const { pass, elapsed } = machine();
  for (let second = 1; second <= 60; second++) {
    pass(0, 1000);
    expect(elapsed()).toBe(second * 1000);
  }
});
