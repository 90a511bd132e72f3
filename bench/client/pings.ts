import { setTimeout as pause } from 'node:timers/promises';
import type { BenchedClient } from '../browser/benched-client.js';
import type { Tab } from '../browser/unmanaged-tabs.js';
import { look } from '../browser/visited-application.js';
import { NOT_CLAIMED } from './measurement.js';
import type { BenchBrowser, Finding, Measurement } from './measurement.js';

/** A minute of the measurement stands for an hour: the default limits of 9 and 10 minutes, divided by 60. */
const LIMITS = { warnAfter: 9, expireAfter: 10 };
const HOUR_MS = 60_000;
const TABS = [1, 5, 20];

/** Whether the client asks a server at all; the others leave that to the application. */
export const asksServer = ({ claims }: BenchedClient): boolean => claims.includes('offers to stay');

async function pingsInAnHour(client: BenchedClient, browser: BenchBrowser, count: number): Promise<number> {
  return browser.visit(client, LIMITS, async (page) => {
    const tabs: Tab[] = [];
    for (let index = 0; index < count; index++) tabs.push(await page.open());
    const front = tabs.at(-1)!;
    const before = page.application.requests;
    const end = Date.now() + HOUR_MS;
    while (Date.now() < end) {
      await front.moveMouse();
      if (!client.claims.includes('watches activity') && (await look(front)).warned)
        await front.evaluate(() => benched.client.stay!());
      await pause(250);
    }
    return page.application.requests - before;
  });
}

export const pings: Measurement = {
  name: 'pings an hour, 1 / 5 / 20 tabs',
  what: 'somebody is active in one of them the whole hour',
  async measure(client, browser): Promise<Finding> {
    if (!asksServer(client)) return NOT_CLAIMED;
    const counts = await Promise.all(TABS.map((count) => pingsInAnHour(client, browser, count)));
    return { value: Math.max(...counts), text: counts.join(' / ') };
  },
};
