import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from './client/chromium.js';
import { FormsDesk, type FormsDeskOptions, type Visitor } from './forms-desk.js';

/** What a test of forms has: the application, and somebody who has signed in with a browser of their own. */
interface FormsStage {
  readonly desk: FormsDesk;
  readonly visitor: Visitor;
  readonly page: Page;
}

/**
 * For the tests of a file: one Chromium, one application with forms for all of them, and a visitor for each.
 *
 * @returns lets the visitor of a test come in, to be called by each test, once; options of its own mean an application of
 *   its own
 */
export function formsStage(
  options: FormsDeskOptions,
): (own?: FormsDeskOptions['security']) => Promise<FormsStage> {
  let browser: Browser;
  let shared: FormsDesk;
  let stage: FormsStage;
  beforeAll(async () => {
    browser = await launchChromium();
    shared = await FormsDesk.open(options);
  });
  afterEach(async () => {
    await stage.visitor.context.close();
    if (stage.desk !== shared) await stage.desk.close();
  });
  afterAll(async () => {
    await browser.close();
    await shared.close();
  });
  return async (own) => {
    const desk = own ? await FormsDesk.open({ ...options, security: own }) : shared;
    const visitor = await desk.signedIn(browser);
    return (stage = { desk, visitor, page: visitor.page });
  };
}
