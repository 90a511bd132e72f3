/** The two clocks of a machine, in milliseconds. */
export interface Clock {
  /** The time of day. Counts sleep, but can be set forward and back. */
  wall: () => number;
  /** Never goes back, but stands still while macOS and Linux sleep (https://github.com/w3c/hr-time/issues/115). */
  monotonic: () => number;
}

/**
 * Below this, a difference between the clocks is rounding and slow adjustment, not sleep. For as long, the wall clock is
 * followed alone: to read the other would be the most expensive part of what is done for a move of the mouse.
 */
const TOLERANCE_MS = 500;

/**
 * One time line out of two clocks, in seconds: elapsed time is the larger of wall and monotonic. It counts sleep
 * on every system, and a clock that is set back takes nothing away. A clock that is set forward looks like sleep; that
 * is why the server is asked before anything is done about it.
 */
export function steadyClock(clock: Clock): () => number {
  let difference = clock.wall() - clock.monotonic();
  let slept = 0;
  /** When both were read, by the wall clock. */
  let readAt: number;
  return () => {
    const wall = clock.wall();
    if (!(wall - readAt < TOLERANCE_MS && wall > readAt)) {
      readAt = wall;
      const jump = wall - clock.monotonic() - difference;
      difference += jump;
      if (jump > TOLERANCE_MS) slept += jump;
    }
    return (wall - difference + slept) / 1000;
  };
}
