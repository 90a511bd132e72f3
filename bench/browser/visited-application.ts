import { setTimeout as pause } from 'node:timers/promises';
import { BenchedApplication } from './benched-application.js';
import type { BenchedClient } from './benched-client.js';
import type { Limits } from './clients/mount.js';
import type { Tab, UnmanagedTabs, Visit } from './unmanaged-tabs.js';

/** What is to be seen in a tab. */
export interface Look {
  started: boolean;
  shown: boolean;
  warned: boolean;
  errors: string[];
}

/** One application with the client in its page, and one browser. */
export class VisitedApplication {
  private constructor(
    readonly application: BenchedApplication,
    private readonly visit: Visit,
  ) {}

  /** @param policy content security policy of the page */
  static async start(
    tabs: UnmanagedTabs,
    client: BenchedClient,
    limits: Limits,
    policy?: string,
  ): Promise<VisitedApplication> {
    return new VisitedApplication(
      await BenchedApplication.start(client, limits, policy),
      await tabs.newVisit(),
    );
  }

  async close(): Promise<void> {
    await this.visit.close();
    await this.application.stop();
  }

  /**
   * Opens the application in a tab in front of the others, and waits until the client watches or has thrown.
   *
   * @param prepare runs in the page before everything else
   */
  async open(...prepare: readonly (() => void)[]): Promise<Tab> {
    const tab = await this.visit.open(`${this.application.url}/`, ...prepare);
    const looked = await lookUntil(10_000, async () => {
      const { started, errors } = await look(tab);
      return errors.length > 0 || started;
    });
    if (!looked) throw new Error('The page did not start.');
    return tab;
  }

  /** Opens a tab with something else, in front of the others. */
  openElsewhere(): Promise<Tab> {
    return this.visit.open(`${this.application.url}/elsewhere`);
  }

  /** The machine sleeps: the server's time and the wall clock go on, the monotonic clock and all timers stand still. */
  async sleep(milliseconds: number): Promise<void> {
    this.application.sleep(milliseconds);
    for (const tab of this.visit.tabs) await tab.shiftClock(milliseconds);
  }
}

const LOOK_EVERY_MS = 20;

export async function look(tab: Tab): Promise<Look> {
  for (;;) {
    try {
      return await tab.evaluate(() => ({
        // Some leave before they can be seen to have started.
        started:
          location.pathname === '/signed-out' ||
          ((globalThis.benched?.started && (benched.client.ready?.() ?? true)) ?? false),
        shown: document.querySelector('main')?.checkVisibility() ?? false,
        warned: globalThis.benched?.warned ?? false,
        errors: globalThis.benched?.errors ?? [],
      }));
    } catch (error) {
      // The page was left while it was looked at: look at the next one.
      if (!/navigated|context|no answer/.test((error as Error).message)) throw error;
    }
  }
}

/** Looks again and again. Answers whether it came true in time; and it looks once more than there is time for. */
export async function lookUntil(
  withinMs: number,
  isTrue: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const late = Date.now() >= deadline;
    if (await isTrue()) return true;
    if (late) return false;
    await pause(LOOK_EVERY_MS);
  }
}
