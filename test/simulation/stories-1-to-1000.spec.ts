import { describe, expect, it } from '@jest/globals';
import { SHORT_STORIES, simulateShortStory } from './short-stories.js';
import { simulate } from './simulate.js';
import { expectRepeatable, tellStories } from './stories.js';

describe('the promises of the server side', () => {
  tellStories(1, 4, 250);

  it.each(SHORT_STORIES)('are kept when %s', async (story) => {
    const lines: string[] = [];
    const { broken } = await simulateShortStory(story, (line) => lines.push(line));
    expect(broken?.message).toBeUndefined();
    expect(lines).toContainEqual(expect.stringMatching(/\(view\) is served as anna/));
  });

  it('are judged by a world that is the same whenever a seed is told, and another for each', async () => {
    await expectRepeatable(simulate);
  });
});
