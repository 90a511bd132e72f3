import { describe, it } from '@jest/globals';
import { simulate } from './simulate.js';
import { expectRepeatable, tellStories } from './stories.js';

describe('the promises of the server side', () => {
  tellStories(1, 4, 250);

  it('are judged by a world that is the same whenever a seed is told, and another for each', async () => {
    await expectRepeatable(simulate);
  });
});
