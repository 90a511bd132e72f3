import { describe } from '@jest/globals';
import { tellStories } from './stories.js';

describe('the promises of the server side', () => {
  tellStories(1001, 4, 250);
});
