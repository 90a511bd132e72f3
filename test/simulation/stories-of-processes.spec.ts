import { describe, expect, it } from '@jest/globals';
import { reportOf } from './outcome.js';
import { simulateProcesses } from './processes/simulate-processes.js';

const BATCHES = 4;
const SEEDS_PER_BATCH = 50;
const BATCH_LIMIT_MS = 300_000;

describe('the promises of several processes', () => {
  it.each(Array.from({ length: BATCHES }, (_, batch) => 1 + batch * SEEDS_PER_BATCH))(
    `are kept in the ${SEEDS_PER_BATCH} stories from seed %i on`,
    async (first) => {
      for (let seed = first; seed < first + SEEDS_PER_BATCH; seed++) {
        const outcome = await simulateProcesses(seed);
        if (outcome.broken) throw new Error(reportOf(outcome));
      }
    },
    BATCH_LIMIT_MS,
  );

  it('are judged by a world that is the same whenever a seed is told, and another for each', async () => {
    const told = new Set<string>();
    for (let seed = 1; seed <= 5; seed++) {
      const { fingerprint } = await simulateProcesses(seed);
      expect(await simulateProcesses(seed)).toMatchObject({ seed, fingerprint });
      told.add(fingerprint);
    }
    expect(told.size).toBe(5);
  });
});
