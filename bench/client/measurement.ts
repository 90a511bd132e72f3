import type { Browser } from 'playwright-core';
import { BenchedApplication } from '../browser/benched-application.js';
import type { BenchedClient } from '../browser/benched-client.js';
import type { Limits } from '../browser/clients/mount.js';
import { UnmanagedTabs } from '../browser/unmanaged-tabs.js';
import type { Tab, Visit } from '../browser/unmanaged-tabs.js';

/** What was found for one client in one measurement. */
export interface Finding {
  /** To compare and to plot; undefined where there is nothing to measure. */
  readonly value?: number;
  /** What the table says. */
  readonly text: string;
}

/** One column of the comparison. */
export interface Measurement {
  readonly name: string;
  readonly what: string;
  /** The unit of the plot; without it nothing is plotted. */
  readonly unit?: string;
  measure(client: BenchedClient, browser: BenchBrowser): Promise<Finding>;
}

export const NOT_CLAIMED: Finding = { text: '–' };

/** The browser of the benchmarks, and pages with a client in it. */
export class BenchBrowser {
  private constructor(private readonly tabs: UnmanagedTabs) {}

  static async on(browser: Browser): Promise<BenchBrowser> {
    return new BenchBrowser(await UnmanagedTabs.of(browser));
  }

  /** Runs `work` with an application that carries the client, and closes it. */
  async visit<Value>(
    client: BenchedClient,
    limits: Limits,
    work: (page: VisitedApplication) => Promise<Value>,
  ): Promise<Value> {
    const application = await BenchedApplication.start(client, limits);
    const visit = await this.tabs.newVisit();
    try {
      return await work(new VisitedApplication(application, visit));
    } finally {
      await visit.close();
      await application.stop();
    }
  }
}

export class VisitedApplication {
  constructor(
    readonly application: BenchedApplication,
    private readonly visit: Visit,
  ) {}

  /** Opens the application in a tab in front of the others, and waits until the client watches. */
  async open(): Promise<Tab> {
    const tab = await this.visit.open(`${this.application.url}/`);
    await until(10_000, () =>
      tab.evaluate(() => (globalThis.benched?.started && (benched.client.ready?.() ?? true)) || false),
    );
    return tab;
  }

  async openElsewhere(): Promise<Tab> {
    return this.visit.open(`${this.application.url}/elsewhere`);
  }

  /** The machine sleeps: the server's time and the wall clock go on, the monotonic clock and all timers stand still. */
  async sleep(milliseconds: number): Promise<void> {
    this.application.sleep(milliseconds);
    for (const tab of this.visit.tabs) await tab.shiftClock(milliseconds);
  }

  warned(tab: Tab): Promise<boolean> {
    return tab.evaluate(() => globalThis.benched?.warned ?? false);
  }
}

const LOOK_EVERY_MS = 20;

/** Looks until it is true. Answers whether it was in time. */
export async function until(withinMs: number, isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() >= deadline) return false;
    await pause(LOOK_EVERY_MS);
  }
  return true;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
