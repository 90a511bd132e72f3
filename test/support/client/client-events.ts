import type { BrowserContext, Page } from 'playwright-core';
import type { SessionSecurityClient } from '../../../client/index.js';

type Noting = typeof window & { told: string[] };

/**
 * Notes the client's events on the pages opened from now on, from the moment at which there is a client: a page that takes
 * long to load has told some by the time that anybody could listen from outside.
 *
 * @param prevent events whose default is prevented
 */
export async function noteEvents(context: BrowserContext, prevent: string[] = []): Promise<void> {
  await context.addInitScript((prevented) => {
    const told: string[] = ((window as unknown as Noting).told = []);
    let client: SessionSecurityClient | undefined;
    Object.defineProperty(window, 'sessionSecurity', {
      configurable: true,
      get: () => client,
      set(started: SessionSecurityClient) {
        client = started;
        for (const type of ['warn', 'active', 'extended', 'cover', 'expire', 'error'] as const)
          started.addEventListener(type, (event) => {
            told.push(type);
            if (prevented.includes(type)) event.preventDefault();
          });
      },
    });
  }, prevent);
}

export const toldEvents = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as Noting).told);

/** Waits until the client of a page has told of something so many times. */
export async function hasTold(page: Page, type: string, times = 1): Promise<void> {
  await page.waitForFunction(
    ([wanted, count]) => (window as unknown as Noting).told.filter((name) => name === wanted).length >= count,
    [type, times] as const,
  );
}
