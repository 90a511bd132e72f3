import { setTimeout as pause } from 'node:timers/promises';
import { BEYOND_MS, LATE_MS } from '../row.js';
import type { Row } from '../row.js';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

export const clockRows: readonly Row[] = [
  {
    id: 'S9',
    what: 'a limit of 30 days, longer than timers can be',
    limits: { warnAfter: 29 * DAY_SECONDS, expireAfter: 30 * DAY_SECONDS },
    async play(scene) {
      await scene.expectQuiet(await scene.open(), 3000);
    },
  },
  {
    id: 'S11a',
    what: 'clock set back by an hour: who is idle still expires on time',
    async play(scene) {
      const tab = await scene.open();
      await tab.moveMouse();
      await tab.moveMouse();
      await tab.shiftClock(-HOUR_MS);
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
  {
    id: 'S11b',
    what: 'clock set back by an hour: who is active is not signed out',
    needs: ['watches activity'],
    async play(scene) {
      const tab = await scene.open();
      await tab.moveMouse();
      await tab.moveMouse();
      await tab.shiftClock(-HOUR_MS);
      await scene.expectShown(tab, scene.expireAfterMs + BEYOND_MS, async () => {
        await tab.moveMouse();
        await pause(400);
      });
    },
  },
];
