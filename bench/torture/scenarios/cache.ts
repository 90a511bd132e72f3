import { setTimeout as pause } from 'node:timers/promises';
import { LATE_MS } from '../row.js';
import type { Row } from '../row.js';

export const cacheRows: readonly Row[] = [
  {
    id: 'S7',
    what: 'a page that comes out of the back/forward cache still expires',
    async play(scene) {
      const tab = await scene.open();
      await tab.evaluate(() =>
        addEventListener('pageshow', ({ persisted }) => (document.title = `${persisted}`)),
      );
      await tab.navigate(`${scene.application.url}/elsewhere`);
      await pause(500);
      // By a timer, because a page that is left answers nobody.
      await tab.evaluate(() => void setTimeout(() => history.back()));
      await pause(1000);
      const persisted = await tab.evaluate(() => document.title);
      if (persisted !== 'true') throw new Error(`The page did not come out of the cache: ${persisted}`);
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
];
