/**
 * The bottom of the world's determinism. While a simulated process runs, its `setImmediate` belongs to the scheduler, and
 * where the world asks for it, its timers and chance too; the real `setImmediate` only serves to let all promises that
 * can go on do so, before the next thing happens. No other source of asynchrony exists in the world.
 */
const real = { setImmediate: globalThis.setImmediate, setTimeout, clearTimeout, random: Math.random };

type Turn = (callback: () => void) => void;

/** Timers and chance of whoever runs. */
export interface Surroundings {
  /** Calls back later, unless the returned function is called before. */
  after(milliseconds: number, callback: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}

let nextTurn: Turn | undefined;
let surroundings: Surroundings | undefined;

/** What `setTimeout` answers in the world. */
class Timer {
  constructor(readonly cancel: () => void) {}
}

globalThis.setImmediate = ((callback: (...values: unknown[]) => void, ...values: unknown[]) =>
  nextTurn
    ? nextTurn(() => callback(...values))
    : real.setImmediate(callback, ...values)) as typeof setImmediate;

globalThis.setTimeout = ((callback: () => void, milliseconds: number) =>
  surroundings
    ? new Timer(surroundings.after(milliseconds, callback))
    : real.setTimeout(callback, milliseconds)) as typeof setTimeout;

globalThis.clearTimeout = ((timer: NodeJS.Timeout | Timer | undefined) =>
  timer instanceof Timer ? timer.cancel() : real.clearTimeout(timer)) as typeof clearTimeout;

Math.random = () => (surroundings ?? real).random();

/**
 * Runs code that belongs to one process, and all that follows from it without waiting.
 *
 * @param turn where its `setImmediate` leads
 * @param around where its timers and its chance come from, if they are not those of the real machine
 */
export async function runToRest(run: () => void, turn: Turn, around?: Surroundings): Promise<void> {
  nextTurn = turn;
  surroundings = around;
  try {
    run();
    await new Promise<void>((resolve) => void real.setImmediate(resolve));
  } finally {
    nextTurn = surroundings = undefined;
  }
}
