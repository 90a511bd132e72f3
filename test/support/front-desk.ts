import 'reflect-metadata';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { AnySessionEvent } from '../../lib/events/session-event.js';
import { SessionSecurityEvents, SessionSecurityService } from '../../lib/index.js';
import { demoUsers } from '../../sample/accounts/demo-users.js';
import { createApplication } from '../../sample/application.js';
import type { SampleSettings } from '../../sample/settings.js';
import { launchChromium } from './client/chromium.js';
import { recordViews, type View } from './views.js';

/** Where the sample runs, for those who look at it from behind. */
export interface Premises {
  /** One process of it. */
  readonly application: NestExpressApplication;
  readonly address: string;
  /** When the server last saw somebody, in epoch milliseconds. */
  readonly lastActivityAt: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** The sample and a real Chromium, for stories in real time. */
export class FrontDesk {
  readonly events: AnySessionEvent[] = [];

  private constructor(
    private readonly premises: Premises,
    private readonly browser: Browser,
  ) {
    premises.application.get(SessionSecurityEvents).all$.subscribe((event) => this.events.push(event));
  }

  /** The sample in one process, which is this one. */
  static async open(limits: SampleSettings['limits']): Promise<FrontDesk> {
    const application = await createApplication({ port: 0, limits }, false);
    await application.listen(0, '127.0.0.1');
    return FrontDesk.at({
      application,
      address: await application.getUrl(),
      lastActivityAt: async () => {
        const [session] = await application.get(SessionSecurityService).list();
        if (session === undefined) throw new Error('Nobody is signed in');
        return session.lastActivityAt;
      },
      close: () => application.close(),
    });
  }

  /** The sample wherever it runs. */
  static async at(premises: Premises): Promise<FrontDesk> {
    return new FrontDesk(premises, await launchChromium());
  }

  get address(): string {
    return this.premises.address;
  }

  get sessions(): SessionSecurityService {
    return this.premises.application.get(SessionSecurityService);
  }

  /** A browser with cookies of its own, in which somebody has just signed in; it has no tab yet. */
  async signedIn(
    userId: 'reception' | 'manager' = 'reception',
    options: BrowserContextOptions = {},
  ): Promise<Visit> {
    const context = await this.browser.newContext({ baseURL: this.address, ...options });
    const page = await context.newPage();
    await page.goto('/sign-in');
    await signIn(page, userId);
    await page.close();
    return new Visit(context);
  }

  /** When the server last saw somebody, in epoch milliseconds. */
  lastActivityAt(): Promise<number> {
    return this.premises.lastActivityAt();
  }

  eventsOf(kind: AnySessionEvent['kind']): AnySessionEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.premises.close();
  }
}

/** One browser with its tabs. */
export class Visit {
  constructor(readonly context: BrowserContext) {}

  /** Opens a page of the sample in a new tab and writes down what is to be seen in it. */
  async open(path: string): Promise<Tab> {
    const page = await this.context.newPage();
    const seen = await recordViews(page);
    await page.goto(path);
    return new Tab(page, seen);
  }

  /** Asks for a page as the browser would, without showing it; answers whether somebody is signed in. */
  async isSignedIn(): Promise<boolean> {
    const response = await this.context.request.get('/patients', { maxRedirects: 0 });
    return response.status() === 200;
  }

  /** Tabs that are just leaving their page must have arrived before: Chromium may wait for them for ever. */
  close(): Promise<void> {
    return this.context.close();
  }
}

/** One tab. */
export class Tab {
  constructor(
    readonly page: Page,
    readonly seen: readonly View[],
  ) {}

  /** What is to be seen now. */
  get view(): View['name'] | undefined {
    return this.seen.at(-1)?.name;
  }

  /** When this was first to be seen, in epoch milliseconds; `undefined` if never. */
  firstSeen(name: View['name'], since = 0): number | undefined {
    return this.seen.find((view) => view.name === name && view.at >= since)?.at;
  }

  /** Waits until the tab has come to the sign-in page. */
  arrivedAtSignIn(): Promise<void> {
    return this.page.waitForURL(({ pathname }) => pathname === '/sign-in');
  }

  /** When the content was first out of sight, by a cover or because the page had been left. */
  contentGoneAt(): number | undefined {
    return this.seen.find(({ name }) => name === 'covered' || name === 'sign-in')?.at;
  }
}

/** Fills in the sign-in form that is open, sends it, and waits for the page behind it. */
export async function signIn(page: Page, userId: string): Promise<void> {
  await page.fill('#user', userId);
  await page.fill('#password', demoUsers.find(({ id }) => id === userId)!.password);
  await page.click('main button');
  await page.waitForURL(({ pathname }) => pathname !== '/sign-in');
}
