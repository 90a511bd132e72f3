import { FrontDesk } from '../support/front-desk.js';
import { tellStoryOfTheMinute } from './stories.js';

tellStoryOfTheMinute((limits) => FrontDesk.open(limits));
