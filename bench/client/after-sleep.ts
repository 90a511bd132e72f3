import { lookUntil } from '../browser/visited-application.js';
import type { Measurement } from './measurement.js';

const HOUR_MS = 3_600_000;
const LIMITS = { warnAfter: 20, expireAfter: 30 };
const PATIENCE_MS = 5000;

/** Tells the server how long the content was seen after the tab came to front. */
function watchContent(): void {
  addEventListener('visibilitychange', () => {
    const since = performance.now();
    const tell = () => navigator.sendBeacon(`/told?${performance.now() - since}`);
    const look = () => {
      if (document.querySelector('main')!.checkVisibility()) requestAnimationFrame(look);
      else tell();
    };
    addEventListener('pagehide', tell);
    // In the same task, after every other listener.
    look();
  });
}

export const afterSleep: Measurement = {
  name: 'content seen after sleep',
  what: 'the machine slept beyond the expiry, the tab comes to front, nobody touches anything',
  unit: 'ms',
  async measure(client, browser) {
    return browser.visit(client, LIMITS, async (page) => {
      const tab = await page.open();
      await tab.evaluate(watchContent);
      await page.openElsewhere();
      await page.sleep(HOUR_MS);
      await tab.bringToFront();
      const { told } = page.application;
      if (!(await lookUntil(PATIENCE_MS, () => told.length > 0)))
        return { value: PATIENCE_MS, text: `more than ${PATIENCE_MS / 1000} s` };
      const value = Math.round(Number(told[0]));
      return { value, text: `${value} ms` };
    });
  },
};
