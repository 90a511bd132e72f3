import type { Tab } from '../browser/unmanaged-tabs.js';
import { median, rounded } from '../support/report.js';
import type { BenchBrowser, Measurement } from './measurement.js';

/** The browser delivers one move a frame, so this takes seconds. */
const MOVES = 200;
const PER = 10_000;
const ROUNDS = 3;
const LIMITS = { warnAfter: 3000, expireAfter: 6000 };

/** Processor time that the page's main thread has spent in scripts, in milliseconds. */
async function scriptTime(tab: Tab): Promise<number> {
  const { metrics } = (await tab.send('Performance.getMetrics')) as {
    metrics: { name: string; value: number }[];
  };
  return metrics.find(({ name }) => name === 'ScriptDuration')!.value * 1000;
}

async function costOfMoves(tab: Tab): Promise<number> {
  const before = await scriptTime(tab);
  for (let move = 0; move < MOVES; move++) await tab.moveMouse();
  return ((await scriptTime(tab)) - before) * (PER / MOVES);
}

export const pointerMoves: Measurement = {
  name: 'script time, 10,000 moves',
  what: `main thread's time in scripts, from ${MOVES} real moves of the mouse, median of ${ROUNDS}`,
  unit: 'ms',
  async measure(client, browser: BenchBrowser) {
    return browser.visit(client, LIMITS, async (page) => {
      const tab = await page.open();
      await tab.send('Performance.enable', { timeDomain: 'threadTicks' });
      const costs: number[] = [];
      for (let round = 0; round < ROUNDS; round++) costs.push(await costOfMoves(tab));
      const value = median(costs);
      return { value, text: `${rounded(value)} ms` };
    });
  },
};
