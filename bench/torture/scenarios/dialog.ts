import type { Mood } from '../../browser/benched-application.js';
import { LATE_MS, RowFailure } from '../row.js';
import type { Row } from '../row.js';

const FAILURES: readonly Mood[] = ['not at all', 401, 503];

export const dialogRows: readonly Row[] = [
  ...FAILURES.map((mood): Row => ({
    id: `S13 ${mood === 'not at all' ? 'no answer' : mood}`,
    what: `"Stay signed in" while the server answers ${mood} promises nothing`,
    needs: ['offers to stay'],
    // A client that starts anew at the click comes clearly later than one that keeps to the deadline.
    limits: { warnAfter: 6, expireAfter: 8 },
    async play(scene) {
      const tab = await scene.open();
      const startedAt = Date.now();
      await scene.expectWarned(tab, scene.limits.warnAfter * 1000 + LATE_MS);
      scene.application.mood = mood;
      await tab.evaluate(() => benched.client.stay!());
      await scene.expectGone(tab, startedAt + scene.expireAfterMs + LATE_MS - Date.now());
      if (scene.application.requests === 0) throw new RowFailure('never asked');
    },
  })),
  {
    id: 'S14',
    what: 'a strict content security policy with Trusted Types: still warns and expires',
    policy:
      "default-src 'none'; script-src 'self' 'nonce-torture'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    async play(scene) {
      const tab = await scene.open();
      if (scene.client.claims.includes('warns'))
        await scene.expectWarned(tab, scene.limits.warnAfter * 1000 + LATE_MS);
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
];
