import { setTimeout as pause } from 'node:timers/promises';
import type { Tab } from '../browser/unmanaged-tabs.js';
import { median, rounded } from '../support/report.js';
import { look, lookUntil } from '../browser/visited-application.js';
import { NOT_CLAIMED } from './measurement.js';
import type { Measurement } from './measurement.js';

const LIMITS = { warnAfter: 3, expireAfter: 30 };
const ROUNDS = 5;

/**
 * Notes when the page hears of the first input, in epoch milliseconds: the call of the first listener, before the client's
 * own. The time stamp of the input is earlier, because the browser keeps moves back for the next frame; what a button
 * calls waits for no frame.
 */
function noteInput(): void {
  const noted = { input: 0, calledOff: 0 };
  Object.assign(globalThis, { noted });
  addEventListener(
    'pointermove',
    () => void (noted.input ||= performance.timeOrigin + performance.now()),
    true,
  );
}

/** Notes when the warning goes. */
function noteEnd(): void {
  let { warned } = benched;
  Object.defineProperty(benched, 'warned', {
    get: () => warned,
    set(value: boolean) {
      if (warned && !value) noted.calledOff = performance.timeOrigin + performance.now();
      warned = value;
    },
  });
}

declare global {
  var noted: { input: number; calledOff: number };
}

const startNote = (tab: Tab) =>
  tab.evaluate(() => void Object.assign(globalThis.noted, { input: 0, calledOff: 0 }));

export const otherTabs: Measurement = {
  name: 'warning gone in other tab',
  what: `after the page heard of activity, or "stay" where activity does not count, in one tab; median of ${ROUNDS}`,
  unit: 'ms',
  async measure(client, browser) {
    if (!client.claims.includes('warns')) return NOT_CLAIMED;
    return browser.visit(client, LIMITS, async (page) => {
      const [other, front] = [await page.open(noteInput), await page.open(noteInput)];
      for (const tab of [other, front]) await tab.evaluate(noteEnd);
      await front.moveMouse();
      const delays: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (const tab of [other, front]) {
          if (!(await lookUntil(12_000, async () => (await look(tab)).warned)))
            throw new Error('No warning.');
          await startNote(tab);
        }
        // The other clients' timers are late by up to a second in hidden tabs; the call must not meet them.
        await pause(300 + 100 * round);
        await front.moveMouse();
        if (!(await lookUntil(1500, async () => !(await look(other)).warned))) {
          await front.evaluate(() => {
            noted.input = performance.timeOrigin + performance.now();
            benched.client.stay?.();
          });
          if (!(await lookUntil(5000, async () => !(await look(other)).warned)))
            return { text: 'not within 5 s' };
        }
        const from = await front.evaluate(() => noted.input);
        delays.push((await other.evaluate(() => noted.calledOff)) - from);
      }
      const value = median(delays);
      return { value, text: `${rounded(value)} ms` };
    });
  },
};
