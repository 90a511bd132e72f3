import { describe, expect, it } from '@jest/globals';
import { simulate } from './simulate.js';
import { tellStories } from './stories.js';

describe('the promises of the server side', () => {
  tellStories(1, 4, 250);

  it('are judged by a world that is the same whenever a seed is told', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { fingerprint } = await simulate(seed);
      expect(await simulate(seed)).toMatchObject({ seed, fingerprint });
    }
  });

  it('are judged by different stories', async () => {
    const told = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) told.add((await simulate(seed)).fingerprint);
    expect(told.size).toBe(20);
  });
});
