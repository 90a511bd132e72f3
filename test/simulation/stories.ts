import { it } from '@jest/globals';
import { reportOf } from './outcome.js';
import { simulate } from './simulate.js';

const BATCHES = 10;
const SEEDS_PER_BATCH = 100;
const BATCH_LIMIT_MS = 300_000;

/**
 * Tells a thousand stories. Every run of the tests tells the same ones, in as many files as there are workers to share
 * them; `npm run simulate -- --seeds 100000` tells more.
 */
export function tellStoriesFrom(firstSeed: number): void {
  const batches = Array.from({ length: BATCHES }, (_, batch) => firstSeed + batch * SEEDS_PER_BATCH);

  it.each(batches)(
    `are kept in the ${SEEDS_PER_BATCH} stories from seed %i on`,
    async (first) => {
      for (let seed = first; seed < first + SEEDS_PER_BATCH; seed++) {
        const outcome = await simulate(seed);
        if (outcome.broken) throw new Error(reportOf(outcome));
      }
    },
    BATCH_LIMIT_MS,
  );
}
