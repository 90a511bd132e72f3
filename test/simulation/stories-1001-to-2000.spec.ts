import { describe } from '@jest/globals';
import { tellStoriesFrom } from './stories.js';

describe('the promises of the server side', () => {
  tellStoriesFrom(1001);
});
