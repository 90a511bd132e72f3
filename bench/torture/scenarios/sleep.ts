import type { Limits } from '../../browser/clients/mount.js';
import { LATE_MS, RowFailure } from '../row.js';
import type { Row } from '../row.js';

const HOUR_MS = 3_600_000;

/** So long that no timer, which knows nothing of the sleep, can be taken for a client that does. */
const LIMITS: Limits = { warnAfter: 9, expireAfter: 12 };

export const sleepRows: readonly Row[] = [
  {
    id: 'S1',
    what: 'after an hour of sleep the first mouse move expires, and does not revive',
    limits: LIMITS,
    async play(scene) {
      const tab = await scene.open();
      await tab.moveMouse();
      await tab.moveMouse();
      await scene.sleep(HOUR_MS);
      await tab.moveMouse();
      await scene.expectGone(tab, LATE_MS);
      if (scene.application.session.alive()) throw new RowFailure('the server was told to go on');
    },
  },
  {
    id: 'S1b',
    what: 'after an hour of sleep the tab is brought to front, no input: gone at once',
    limits: LIMITS,
    async play(scene) {
      const tab = await scene.open();
      await scene.openElsewhere();
      await scene.sleep(HOUR_MS);
      await tab.bringToFront();
      await scene.expectGone(tab, LATE_MS);
    },
  },
];
