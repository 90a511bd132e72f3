import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

/** Waits for an instant, in epoch milliseconds. Only for stories whose subject is time itself. */
export async function instant(at: number): Promise<void> {
  while (Date.now() < at) await sleep(Math.min(at - Date.now(), 1000));
}

/**
 * Waits until `look` answers something.
 *
 * @throws {Error} that names what was awaited, when it has not come by then
 */
export async function eventually<Found>(
  what: string,
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
  withinMs: number,
): Promise<Found> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}
