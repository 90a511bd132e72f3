import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { OURS } from '../../bench/browser/benched-client.js';
import { limited } from '../../bench/browser/limited.js';
import { UnmanagedTabs } from '../../bench/browser/unmanaged-tabs.js';
import { playRow } from '../../bench/torture/row.js';
import type { Outcome } from '../../bench/torture/row.js';
import { ROWS } from '../../bench/torture/rows.js';
import { launchRealisticChromium } from '../support/client/chromium.js';

jest.setTimeout(240_000);

/** Rows wait for real time more than they work. */
const AT_A_TIME = 4;

let browser: Browser;
const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  browser = await launchRealisticChromium();
  const tabs = await UnmanagedTabs.of(browser);
  const next = limited(AT_A_TIME);
  for (const row of ROWS) {
    const outcome = next(() => playRow(row, OURS, tabs));
    // Its test will tell, when it is its turn.
    outcome.catch(() => undefined);
    outcomes.set(row.id, outcome);
  }
});
afterAll(async () => {
  await Promise.allSettled(outcomes.values());
  await browser.close();
});

test.each(ROWS)('B1 $id $what', async ({ id }) => {
  expect(await outcomes.get(id)).toEqual({ verdict: 'P', because: '' });
});
