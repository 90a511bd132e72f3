import { openBranchDesks } from '../support/branch-desks.js';
import { FrontDesk } from '../support/front-desk.js';
import { tellStories } from './stories.js';

/** The flush interval and a second; see docs/redis.md. */
const TOLERANCE = 2;

tellStories(async (limits) => FrontDesk.at(await openBranchDesks(limits)), TOLERANCE);
