import type { Row } from './row.js';
import { activityRows } from './scenarios/activity.js';
import { cacheRows } from './scenarios/cache.js';
import { clockRows } from './scenarios/clocks.js';
import { dialogRows } from './scenarios/dialog.js';
import { sleepRows } from './scenarios/sleep.js';
import { tabRows } from './scenarios/tabs.js';

const collator = new Intl.Collator('en', { numeric: true });

/** Every row of the torture bench, by number. */
export const ROWS: readonly Row[] = [
  ...sleepRows,
  ...tabRows,
  ...activityRows,
  ...clockRows,
  ...cacheRows,
  ...dialogRows,
].sort((a, b) => collator.compare(a.id, b.id));
