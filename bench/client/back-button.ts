import { setTimeout as pause } from 'node:timers/promises';
import { lookUntil } from '../browser/visited-application.js';
import type { Measurement } from './measurement.js';

const HOUR_MS = 3_600_000;
const LIMITS = { warnAfter: 20, expireAfter: 30 };

/** Tells the server whether content was seen in any frame of the first second after the page came back. */
function watchReturn(): void {
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    let frames = 0;
    const until = performance.now() + 1000;
    const tell = () => navigator.sendBeacon(`/told?${frames}`);
    const look = () => {
      if (document.querySelector('main')!.checkVisibility()) frames += 1;
      if (performance.now() < until) requestAnimationFrame(look);
      else tell();
    };
    addEventListener('pagehide', tell);
    requestAnimationFrame(look);
  });
}

export const backButton: Measurement = {
  name: 'Back shows content',
  what: 'the session ended while another page was looked at; frames with content in the second after Back',
  async measure(client, browser) {
    return browser.visit(client, LIMITS, async (page) => {
      const { application } = page;
      const tab = await page.open();
      await tab.evaluate(watchReturn);
      await tab.navigate(`${application.url}/elsewhere`);
      await pause(500);
      await page.sleep(HOUR_MS);
      await tab.evaluate(() => void setTimeout(() => history.back()));
      if (!(await lookUntil(8000, () => application.told.length > 0)))
        throw new Error('The page did not come out of the cache.');
      const frames = Number(application.told[0]);
      return { text: frames > 0 ? `yes, ${frames} frames` : 'no' };
    });
  },
};
