import { setTimeout as pause } from 'node:timers/promises';
import type { Tab } from '../../browser/unmanaged-tabs.js';
import { BEYOND_MS, LATE_MS, RowFailure } from '../row.js';
import type { Row, Scene } from '../row.js';

const MOVE_EVERY_MS = 400;

async function moves(tab: Tab): Promise<void> {
  await tab.moveMouse();
  await pause(MOVE_EVERY_MS);
}

/** Somebody is active in one tab for longer than the limit, and the other one has to stay. */
async function activeIn(active: Tab, other: Tab, scene: Scene): Promise<void> {
  await active.bringToFront();
  await scene.expectShown(other, scene.expireAfterMs + BEYOND_MS, () => moves(active));
}

export const tabRows: readonly Row[] = [
  {
    id: 'S2',
    what: 'newer tab active, older idle: the older one stays',
    needs: ['watches activity'],
    async play(scene) {
      const older = await scene.open();
      await activeIn(await scene.open(), older, scene);
    },
  },
  {
    id: 'S2c',
    what: 'older tab active, newer idle: the newer one stays',
    needs: ['watches activity'],
    async play(scene) {
      const older = await scene.open();
      await activeIn(older, await scene.open(), scene);
    },
  },
  {
    id: 'S2d',
    what: 'both tabs idle: both expire',
    async play(scene) {
      const tabs = [await scene.open(), await scene.open()];
      for (const tab of tabs) await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
  {
    id: 'S3',
    what: 'a hidden tab is frozen: the idle tab that is seen still expires',
    async play(scene) {
      const hidden = await scene.open();
      const seen = await scene.open();
      await hidden.bringToFront();
      await moves(hidden);
      await moves(hidden);
      await seen.bringToFront();
      await hidden.freeze();
      await scene.expectGone(seen, scene.expireAfterMs + LATE_MS);
    },
  },
  {
    id: 'S12',
    what: 'ten idle tabs reach the warning: one request at most',
    needs: ['warns'],
    // Long enough for ten tabs to open before any of them is due.
    limits: { warnAfter: 12, expireAfter: 16 },
    async play(scene) {
      const tabs: Tab[] = [];
      for (let index = 0; index < 10; index++) tabs.push(await scene.open());
      const before = scene.application.requests;
      for (const tab of tabs) await scene.expectWarned(tab, scene.limits.warnAfter * 1000 + LATE_MS);
      const requests = scene.application.requests - before;
      if (requests > 1) throw new RowFailure(`${requests} requests`);
    },
  },
];
