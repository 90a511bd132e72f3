import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { Body, Controller, Get, Header, Param, Post, Query, Redirect, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { DraftNews } from '../../client/drafts.js';
import { AllowExpired, type SessionSecurityOptionsInput, SessionSecurityService } from '../../lib/index.js';
import { WatchedApp } from './watched-app.js';
import { eventually } from './real-time.js';

/** A page of the application. */
export interface FormPage {
  readonly body: string;
  /** What the script tag says for the whole page; `false`: no script tag. */
  readonly tag?: Parameters<SessionSecurityService['clientTag']>[1] | false;
  readonly contentSecurityPolicy?: string;
  readonly lang?: string;
  /** A file of `test/support/fixtures`, bundled and loaded as a module. */
  readonly module?: string;
}

export interface FormsDeskOptions {
  readonly pages: Record<string, FormPage>;
  readonly security?: SessionSecurityOptionsInput;
}

const LIMITS = { warnAfter: 540, expireAfter: 600, loginUrl: '/lobby' };
const SECRET = 'only for tests, thirty-two characters';

/** An application with forms, on a clock that stands still until it is moved. */
export class FormsDesk {
  private constructor(
    readonly app: WatchedApp,
    readonly address: string,
    /** What was sent to `/save`, in order. */
    readonly saved: Record<string, unknown>[],
  ) {}

  static async open({ pages, security }: FormsDeskOptions): Promise<FormsDesk> {
    const saved: Record<string, unknown>[] = [];
    const app = await WatchedApp.start({
      security: { ...LIMITS, secret: SECRET, ...security },
      controllers: [formsController(pages, saved)],
    });
    return new FormsDesk(app, await app.app.getUrl(), saved);
  }

  /** A browser of its own, in which somebody has signed in. */
  async signedIn(browser: Browser, user = 'anna'): Promise<Visitor> {
    this.saved.length = 0;
    const context = await browser.newContext({ baseURL: this.address });
    const visitor = await Visitor.in(context);
    await visitor.signIn(user);
    return visitor;
  }

  /** Lets every session run out on the server. */
  expireAll(): void {
    this.app.clock.jump(601);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/** Somebody with a browser and one tab in it. */
export class Visitor {
  readonly news: DraftNews[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async in(context: BrowserContext): Promise<Visitor> {
    await context.clock.install();
    const visitor = new Visitor(context, await context.newPage());
    await visitor.page.exposeFunction('tellDraft', (news: DraftNews) => visitor.news.push(news));
    await visitor.page.addInitScript(followDrafts);
    return visitor;
  }

  /** Signs in, whatever page is open. */
  async signIn(user = 'anna'): Promise<void> {
    await this.context.request.get(`/enter?user=${user}`, { maxRedirects: 0 });
  }

  /** Opens a page and waits until its forms are looked after, if it asks for that. */
  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await this.page.waitForFunction(
      () =>
        globalThis.sessionSecurity?.forms ??
        !document.querySelector('[data-session-guard],[data-session-draft]'),
    );
  }

  /** Lets time pass in this browser, from timer to timer; it goes by itself too. */
  pass(seconds: number): Promise<void> {
    return this.context.clock.runFor(seconds * 1000);
  }

  /** Waits for what is told of drafts, from now on or before. */
  async hears(state: DraftNews['state'], times = 1): Promise<DraftNews> {
    const heard = () => this.news.filter((news) => news.state === state);
    await eventually(`${times} x ${state}`, () => heard().length >= times, 15_000);
    return heard().at(-1)!;
  }

  /** Types something, lets the time pass after which it is kept, and waits until it is. */
  async types(selector: string, text: string): Promise<void> {
    const before = this.news.filter(({ state }) => state === 'kept').length;
    await this.page.fill(selector, text);
    await this.pass(1);
    await this.hears('kept', before + 1);
  }

  /** Another tab says that somebody signed in or out, so this one asks the server. */
  async asks(): Promise<void> {
    // Until it has its first answer it does not listen, and has just asked anyway.
    await this.page.waitForFunction(() => globalThis.sessionSecurity?.phase() !== 'starting');
    await this.page.evaluate(() => {
      const channel = new BroadcastChannel('session-security:session-security');
      channel.postMessage({ owner: '' });
      channel.close();
    });
  }

  /** The session has ended, and the page finds it so and leaves. */
  async findsItsEnd(): Promise<void> {
    await this.asks();
    await this.page.waitForURL('**/lobby*');
  }

  /** Finds the session's end, signs in and opens a page. What was told before is forgotten. */
  async comesBack(path: string, user?: string): Promise<void> {
    await this.findsItsEnd();
    this.news.length = 0;
    await this.signIn(user);
    await this.open(path);
  }

  bar(): ReturnType<Page['locator']> {
    return this.page.locator('session-security-drafts');
  }

  button(name: string): ReturnType<Page['locator']> {
    return this.bar().getByRole('button', { name });
  }

  /** Everything that rests in this browser for the site, as one text. */
  async rest(): Promise<string> {
    return this.page.evaluate(readRest);
  }

  /** How many drafts rest in this browser. */
  async drafts(): Promise<number> {
    return this.page.evaluate(countDrafts);
  }
}

/** Runs in the page. */
function followDrafts(): void {
  const { tellDraft } = window as unknown as { tellDraft: (news: unknown) => void };
  addEventListener('DOMContentLoaded', () => {
    globalThis.sessionSecurity?.addEventListener('draft', ({ detail }) => tellDraft(detail));
  });
}

/** Runs in the page: every byte is a character. */
async function readRest(): Promise<string> {
  const textOf = (value: unknown): string => {
    if (value instanceof ArrayBuffer) return textOf(new Uint8Array(value));
    if (value instanceof Uint8Array) return Array.from(value, (byte) => String.fromCharCode(byte)).join('');
    if (typeof value === 'object' && value) return Object.values(value).map(textOf).join('\n');
    return String(value);
  };
  const settled = <Result>(request: IDBRequest<Result>) =>
    new Promise<Result>((resolve) => (request.onsuccess = () => resolve(request.result)));
  const texts = [textOf({ ...localStorage }), textOf({ ...sessionStorage }), document.cookie];
  for (const { name } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name!));
    for (const store of database.objectStoreNames)
      texts.push(name!, textOf(await settled(database.transaction(store).objectStore(store).getAll())));
    database.close();
  }
  return texts.join('\n');
}

/** Runs in the page. */
async function countDrafts(): Promise<number> {
  const settled = <Result>(request: IDBRequest<Result>) =>
    new Promise<Result>((resolve) => (request.onsuccess = () => resolve(request.result)));
  const databases = await indexedDB.databases();
  if (!databases.some(({ name }) => name === 'session-security-drafts')) return 0;
  const database = await settled(indexedDB.open('session-security-drafts'));
  const drafts: { content: ArrayBuffer }[] = await settled(
    database.transaction('drafts').objectStore('drafts').getAll(),
  );
  database.close();
  return drafts.filter(({ content }) => content.byteLength > 0).length;
}

const bundles = new Map<string, string>();

/** Bundles a fixture as an application would. */
function bundle(name: string): string {
  const known =
    bundles.get(name) ??
    execFileSync(
      'node_modules/.bin/esbuild',
      [
        `test/support/fixtures/${name}`,
        '--bundle',
        '--format=esm',
        '--define:process.env.NODE_ENV="production"',
        // The one of Vue's builds that compiles templates.
        '--alias:vue=vue/dist/vue.esm-browser.prod.js',
        '--log-level=error',
      ],
      { encoding: 'utf8' },
    );
  bundles.set(name, known);
  return known;
}

function formsController(pages: Record<string, FormPage>, saved: Record<string, unknown>[]) {
  @Controller()
  class FormsController {
    constructor(private readonly security: SessionSecurityService) {}

    @AllowExpired()
    @Get('enter')
    @Redirect('/lobby')
    async enter(@Req() request: Request, @Query('user') user: string): Promise<void> {
      await new Promise((resolve) => request.session.regenerate(resolve));
      Object.assign(request.session, { user: { id: user } });
    }

    @Post('leave')
    @Redirect('/lobby')
    async leave(@Req() request: Request): Promise<void> {
      await new Promise((resolve) => request.session.destroy(resolve));
    }

    @AllowExpired()
    @Get('lobby')
    @Header('Content-Type', 'text/html')
    lobby(): string {
      return '<!doctype html><title>Lobby</title><link rel="icon" href="data:,"><h1>Lobby</h1>';
    }

    @Get('page/:name')
    page(
      @Req() request: Request,
      @Res({ passthrough: true }) response: Response,
      @Param('name') name: string,
    ): string {
      const { body, tag = {}, contentSecurityPolicy, lang = 'en', module } = pages[name]!;
      if (contentSecurityPolicy !== undefined)
        response.setHeader('Content-Security-Policy', contentSecurityPolicy);
      response.setHeader('Content-Type', 'text/html');
      const head = [
        contentSecurityPolicy === undefined ? '<link rel="icon" href="data:,">' : '',
        tag === false ? '' : this.security.clientTag(request, tag),
        module === undefined ? '' : `<script type="module" src="/module/${module}"></script>`,
      ];
      return `<!doctype html><html lang="${lang}"><head><title>${name}</title>${head.join('')}</head><body>${body}</body></html>`;
    }

    @Get('module/:name')
    @Header('Content-Type', 'text/javascript')
    module(@Param('name') name: string): string {
      return bundle(name);
    }

    @Post('save')
    save(@Body() body: Record<string, unknown>, @Res() response: Response): void {
      saved.push(body);
      response.redirect(303, '/lobby');
    }

    /** Takes nothing in and leaves the page where it is. */
    @Post('lose')
    lose(@Res() response: Response): void {
      response.status(204).end();
    }
  }
  return FormsController;
}
