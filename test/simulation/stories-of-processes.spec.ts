import { describe, expect, it } from '@jest/globals';
import { simulateProcesses } from './processes/simulate-processes.js';
import { tellStories } from './stories.js';

describe('the promises of several processes', () => {
  tellStories(1, 4, 50, '--processes');

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
