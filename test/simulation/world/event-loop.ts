/**
 * The bottom of the world's determinism. While a simulated process runs, its `setImmediate` belongs to the scheduler;
 * the real one only serves to let all promises that can go on do so, before the next thing happens. No other source of
 * asynchrony exists in the world.
 */
const realSetImmediate = globalThis.setImmediate;

type Turn = (callback: () => void) => void;

let nextTurn: Turn | undefined;

globalThis.setImmediate = ((callback: (...values: unknown[]) => void, ...values: unknown[]) =>
  nextTurn
    ? nextTurn(() => callback(...values))
    : realSetImmediate(callback, ...values)) as typeof setImmediate;

/**
 * Runs code that belongs to one process, and all that follows from it without waiting.
 *
 * @param turn where its `setImmediate` leads
 */
export async function runToRest(run: () => void, turn: Turn): Promise<void> {
  nextTurn = turn;
  try {
    run();
    await new Promise<void>((resolve) => void realSetImmediate(resolve));
  } finally {
    nextTurn = undefined;
  }
}
