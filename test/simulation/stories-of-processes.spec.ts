import { describe, it } from '@jest/globals';
import { simulateProcesses } from './processes/simulate-processes.js';
import { expectRepeatable, tellStories } from './stories.js';

describe('the promises of several processes', () => {
  tellStories(1, 4, 50, '--processes');

  it('are judged by a world that is the same whenever a seed is told, and another for each', async () => {
    await expectRepeatable(simulateProcesses);
  });
});
