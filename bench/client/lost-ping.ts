import { setTimeout as pause } from 'node:timers/promises';
import { look } from '../browser/visited-application.js';
import { NOT_CLAIMED } from './measurement.js';
import type { Measurement } from './measurement.js';
import { asksServer } from './pings.js';

const LIMITS = { warnAfter: 4, expireAfter: 8 };

export const lostPing: Measurement = {
  name: 'survives a lost ping',
  what: 'the first request gets no answer; is the session of an active person alive a limit later?',
  async measure(client, browser) {
    if (!asksServer(client)) return NOT_CLAIMED;
    return browser.visit(client, LIMITS, async (page) => {
      const { application } = page;
      const tab = await page.open();
      application.mood = 'not at all';
      const end = Date.now() + LIMITS.expireAfter * 1000 + 2000;
      while (Date.now() < end) {
        await tab.moveMouse();
        if (!client.claims.includes('watches activity') && (await look(tab)).warned)
          await tab.evaluate(() => benched.client.stay!());
        if (application.requests > 0) application.mood = 'well';
        await pause(200);
      }
      return { text: application.session.alive() ? 'yes' : 'no' };
    });
  },
};
