import type { Browser } from 'playwright-core';
import type { BenchedClient } from '../browser/benched-client.js';
import type { Limits } from '../browser/clients/mount.js';
import { UnmanagedTabs } from '../browser/unmanaged-tabs.js';
import { VisitedApplication } from '../browser/visited-application.js';

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
    const visited = await VisitedApplication.start(this.tabs, client, limits);
    try {
      return await work(visited);
    } finally {
      await visited.close();
    }
  }
}
