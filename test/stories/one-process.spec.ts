import { FrontDesk } from '../support/front-desk.js';
import { tellStories } from './stories.js';

tellStories((limits) => FrontDesk.open(limits), 0);
