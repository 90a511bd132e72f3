export { reportOf } from './outcome.js';
export { simulateProcesses } from './processes/simulate-processes.js';
export { SHORT_STORIES, simulateShortStory } from './short-stories.js';
export { simulate } from './simulate.js';
