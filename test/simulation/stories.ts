import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const REPEATED = 5;
const SCRIPT = fileURLToPath(new URL('../../scripts/simulate.mjs', import.meta.url));
/** Ends stories that hang; whoever tells them may have to leave the processors to others. */
const LIMIT_MS = 900_000;

/**
 * Tells stories in batches. Every run of the tests tells the same ones; `npm run simulate -- --seeds 100000` tells more.
 * Each batch is told by a process of its own: within jest's modules the same stories take three times as long.
 *
 * @param options further ones of `npm run simulate`
 */
export function tellStories(
  first: number,
  batches: number,
  seedsPerBatch: number,
  ...options: string[]
): void {
  it.each(Array.from({ length: batches }, (_, batch) => first + batch * seedsPerBatch))(
    `are kept in the ${seedsPerBatch} stories from seed %i on`,
    async (from) => {
      const given = ['--first', String(from), '--seeds', String(seedsPerBatch), ...options];
      // It rejects with everything that was printed if a promise was broken.
      const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...given], {
        maxBuffer: Infinity,
      });
      expect(stdout).toContain('Every promise was kept.');
    },
    LIMIT_MS,
  );
}

/** A seed is the same story whenever it is told, and another one than other seeds are. */
export async function expectRepeatable(
  tell: (seed: number) => Promise<{ fingerprint: string }>,
): Promise<void> {
  const told = new Set<string>();
  for (let seed = 1; seed <= REPEATED; seed++) {
    const { fingerprint } = await tell(seed);
    expect((await tell(seed)).fingerprint).toBe(fingerprint);
    told.add(fingerprint);
  }
  expect(told.size).toBe(REPEATED);
}
