import type { Reply } from '../../../../client/core/answer.js';
import type { MonitorEvent, TabChannel, TabListener } from '../../../../client/core/ports.js';
import { VirtualChannels } from '../../../support/client/virtual-channels.js';
import { VirtualLocks } from '../../../support/client/virtual-locks.js';
import { CookieJar } from '../cookie-jar.js';
import type { Random } from '../random.js';
import type { Plan } from '../visit.js';
import type { World } from '../world.js';
import { Laptop } from './laptop.js';
import { Network } from './network.js';
import { Page, type PageHome } from './page.js';

const LONGEST_WAY_OUT_MS = 300;

/** One request of a page's monitor, from the moment in which it leaves. */
export interface PageRequest {
  readonly page: Page;
  readonly path: string;
  /** Seconds since the last activity, if it tells any. */
  readonly idleFor: number | undefined;
  readonly sentAt: number;
  /** The session whose cookie it carries. */
  readonly sessionId: string | undefined;
}

/** Sees what pages do and what is done to them, at the instant in which it happens. */
export interface DesktopWitness {
  opened(page: Page): void;
  gone(page: Page): void;
  asked(request: PageRequest): void;
  /** A reply reaches the page; undefined: none will. */
  heard(request: PageRequest, reply: Reply | undefined): void;
  happened(page: Page, event: MonitorEvent): void;
  /** A person does something in the page. */
  acted(page: Page, staying: boolean): void;
  /** The machine wakes up, the network is back, or a clock is set. */
  stirred(): void;
}

/** One browser on one machine: pages of one cookie jar, with their channels, their locks and their way to the server. */
export class Desktop implements PageHome {
  readonly jar = new CookieJar();
  readonly laptop: Laptop;
  readonly network: Network;
  readonly hasChannels: boolean;
  readonly hasLocks: boolean;
  pages: Page[] = [];
  witness!: DesktopWitness;
  #opened = 0;
  readonly #channels = new VirtualChannels<Page>((page, run) =>
    this.#later(1, page, 'hears', () => page.hear(run)),
  );
  readonly #locks = new VirtualLocks<Page>();

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.laptop = new Laptop(world.scheduler, random);
    this.network = new Network(world, random);
    this.hasChannels = random.chance(0.9);
    this.hasLocks = random.chance(0.85);
  }

  get time(): number {
    return this.world.scheduler.now;
  }

  wall(): number {
    return this.laptop.wall();
  }

  monotonic(): number {
    return this.laptop.monotonic();
  }

  chance(): number {
    return this.random.next();
  }

  // What people and browsers do.

  /** Loads a page. What the server makes of it becomes a page with a running monitor. */
  load(errand: Plan['errand'] = 'view', user?: string): void {
    if (this.laptop.asleep) return;
    this.network.send(
      { ...this.#plan(errand), ...(user === undefined ? {} : { user }) },
      ({ status, cookies, owner }) => {
        if (cookies) this.jar.keep(cookies);
        // Whoever signs in is led on to a page of the application.
        if (status === 200 && errand !== 'view') this.load();
        else if (status === 200 && cookies) this.laptop.whenAwake(() => this.#open(owner));
      },
      () => undefined,
    );
  }

  /** A request of the application's own. */
  fetch(errand: Plan['errand']): void {
    if (this.laptop.asleep) return;
    this.network.send(
      this.#plan(errand),
      ({ cookies = [] }) => this.jar.keep(cookies),
      () => undefined,
    );
  }

  /** A page is closed, or another takes its place. */
  leave(page: Page): void {
    this.enter(page, () => {
      if (page.state === 'open') page.monitor.suspend();
      this.discard(page);
    });
  }

  /** The browser throws a page out, or it crashes: without a word. */
  discard(page: Page): void {
    this.world.note(`${page.title} is gone`);
    page.vanish();
    this.witness.gone(page);
    this.#channels.closeOf(page);
    this.#locks.releaseOf(page);
    this.pages = this.pages.filter((other) => other !== page);
  }

  act(page: Page, staying: boolean): void {
    this.witness.acted(page, staying);
    this.enter(page, () => (staying ? page.monitor.stay() : page.monitor.activity()));
  }

  sleep(): void {
    this.laptop.sleep();
    for (const page of this.pages) page.awakeSince = Infinity;
  }

  wake(): void {
    if (!this.laptop.asleep) return;
    this.laptop.wake();
    this.witness.stirred();
    // The screen comes on and the network back, and every page that can hear is told.
    for (const page of this.pages) {
      if (page.state !== 'open') continue;
      this.#later(this.random.between(0, 500), page, 'stretches', () => {
        if (page.state !== 'open') return;
        page.awakeSince = this.time;
        this.enter(page, () => page.monitor.wake());
      });
    }
  }

  goOnline(): void {
    if (!this.network.offline) return;
    this.network.offline = false;
    this.witness.stirred();
    for (const page of this.pages) if (page.isAwake) this.enter(page, () => page.monitor.wake());
  }

  // What surrounds the pages.

  enter(page: Page, run: () => void): void {
    this.world.enter(page, () => page.alive && run());
  }

  soon(page: Page, run: () => void): void {
    this.#later(0, page, 'goes on', () => page.run(run));
  }

  happened(page: Page, event: MonitorEvent): void {
    this.world.note(`${page.title}: ${event[0]} ${JSON.stringify(event[1])}`);
    this.witness.happened(page, event);
    if (event[0] !== 'expire') return;
    // The way out is loaded, and then the page is left for the one to sign in at.
    this.#later(this.random.between(0, LONGEST_WAY_OUT_MS), page, 'is left', () => {
      this.leave(page);
      this.load();
    });
  }

  at(delayMs: number, run: () => void, page: Page): () => void {
    let isSet = true;
    const nesting = page.nextNesting;
    // Browsers cut fractions off.
    const due = this.monotonic() + Math.max(0, Math.floor(delayMs));
    const fire = (): void => {
      const firesAt = page.firesAt(due, nesting);
      if (this.monotonic() < firesAt) return wait(firesAt);
      page.nested(nesting, () => {
        if (isSet) run();
        isSet = false;
      });
    };
    const wait = (until: number): void =>
      this.laptop.whenDue(until, `${page.title}'s timer`, fire, () => isSet && page.alive);
    wait(due);
    return () => (isSet = false);
  }

  send(page: Page, path: string, body: object | undefined, limitMs: number): Promise<Reply> {
    const { idleFor } = (body ?? {}) as { idleFor?: number };
    const { time: sentAt, jar } = this;
    const request: PageRequest = { page, path, idleFor, sentAt, sessionId: jar.sessionId };
    this.witness.asked(request);
    this.world.note(`${page.title} asks ${path} ${idleFor ?? ''}`);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const settle = (reply?: Reply): void => {
        if (isOver) return;
        isOver = true;
        giveUp();
        this.world.note(`${page.title} is answered ${summaryOf(reply)}`);
        this.witness.heard(request, reply);
        if (reply) resolve(reply);
        else reject(new TypeError('Failed to fetch'));
      };
      const giveUp = this.at(limitMs, () => settle(), page);
      this.network.send(
        this.#pingPlan(path, idleFor),
        ({ cookies = [], status, body: content, retryAfter }) => {
          jar.keep(cookies);
          this.laptop.whenAwake(() => page.run(() => settle({ status, body: content, retryAfter })));
        },
        () => this.laptop.whenAwake(() => page.run(settle)),
      );
    });
  }

  channel(page: Page, name: string, receive: TabListener): TabChannel | undefined {
    return this.hasChannels ? this.#channels.open(page, name, receive) : undefined;
  }

  /** The browser gives the lock at once, and tells the page in a task of its own: a frozen one holds it and knows nothing. */
  async lock(page: Page, name: string, work: (granted: unknown) => Promise<void>): Promise<void> {
    if (!this.hasLocks) return work(true);
    const release = this.#locks.take(name, page);
    await new Promise<void>((resolve) =>
      this.#later(0, page, 'is told of the lock', () => page.run(resolve)),
    );
    await work(release);
    release?.();
  }

  holdsLock(page: Page): boolean {
    return this.#locks.holds(page);
  }

  #open(owner: string | undefined): void {
    const hearsFrozen = this.random.pick(['at once', 'later', 'never'] as const);
    // Half of the applications tell the page for whom it is made.
    const page = new Page(++this.#opened, this, hearsFrozen, this.random.chance(0.5) ? owner : undefined);
    this.pages.push(page);
    this.world.note(`${page.title} opens for ${owner ?? 'nobody'}`);
    this.witness.opened(page);
    this.enter(page, () => page.monitor.start());
  }

  #plan(errand: Plan['errand']): Plan {
    return { errand, cookie: this.jar.cookie, gapMs: 0, waitsMs: [] };
  }

  #pingPlan(path: string, idleFor: number | undefined): Plan {
    if (path === 'end') return this.#plan('end');
    if (idleFor !== undefined) return { ...this.#plan('ping'), idleFor };
    return { ...this.#plan('look'), start: path !== 'ping' };
  }

  #later(delayMs: number, page: Page, what: string, run: () => void): void {
    this.world.scheduler.after(
      delayMs,
      `${page.title} ${what}`,
      () => this.laptop.whenAwake(() => page.alive && run()),
      () => page.alive,
    );
  }
}

function summaryOf(reply: Reply | undefined): string {
  if (!reply) return 'nothing';
  const { state, idleFor, expireIn } = (reply.body ?? {}) as Record<string, unknown>;
  return `${reply.status} ${JSON.stringify({ state, idleFor, expireIn })}`;
}
