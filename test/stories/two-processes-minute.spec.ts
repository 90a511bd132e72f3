import { openBranchDesks } from '../support/branch-desks.js';
import { FrontDesk } from '../support/front-desk.js';
import { tellStoryOfTheMinute } from './stories.js';

tellStoryOfTheMinute(async (limits) => FrontDesk.at(await openBranchDesks(limits)));
