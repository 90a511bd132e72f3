import { Desktop } from '../world/browser/desktop.js';
import type { Quality } from '../world/browser/network.js';
import type { Page } from '../world/browser/page.js';
import type { Random } from '../world/random.js';
import type { World } from '../world/world.js';
import { type Rhythm, pauseMs } from './pause.js';

const USERS = ['anna', 'ben', 'cleo'];
const MOST_PAGES = 6;
const HOUR_MS = 3_600_000;
/** Around a warning or an end as a page shows it, in milliseconds. */
const EDGES = [-1500, -1001, -400, -100, -1, 0, 1, 100, 400, 1001];

/**
 * Somebody with several tabs of the real client, and all that befalls the browser: tabs that are hidden, frozen, thrown
 * out, closed and come back to, a machine that sleeps, a network that fails.
 */
export class TabUser {
  readonly desktop: Desktop;
  readonly #troubles: readonly (() => void)[];
  readonly #usualNetwork: Quality;
  #resting = false;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.desktop = new Desktop(world, random);
    this.desktop.witness = world.oracle.watch(this.desktop);
    const { laptop, network } = this.desktop;
    network.quality = this.#usualNetwork = random.weighted({ good: 5, slow: 3, lossy: 1, awful: 0 });
    const all = [
      () => this.#changeNetwork(),
      () => this.#goOffline(),
      () => this.#throwOut(),
      () => this.#freeze(),
      () => this.#browse(),
      // Nobody can tell a clock that stood still in sleep from one that was set back meanwhile.
      laptop.stopsInSleep
        ? () => this.#sleep()
        : () => (random.chance(0.5) ? this.#sleep() : this.#setClock()),
      () => this.#useTheApplication(),
    ];
    // Many stories know only one kind of trouble, and some none: those hold the client to its promises most strictly.
    this.#troubles = all.filter(() => random.chance(0.3));
  }

  begin(until: number): void {
    this.world.scheduler.after(this.#pauseMs(), 'somebody with tabs', () => {
      if (this.world.scheduler.now > until) return;
      if (!this.desktop.laptop.asleep) this.#act();
      this.begin(until);
    });
  }

  /** Nobody is there any more, and nothing stands in the way of the promises. */
  rest(): void {
    this.#resting = true;
    const { desktop } = this;
    desktop.wake();
    desktop.network.quality = 'good';
    desktop.goOnline();
    for (const page of desktop.pages) this.#bringBack(page);
  }

  #act(): void {
    const { desktop, random } = this;
    const trouble = random.chance(0.15) && this.#troubles.length > 0;
    if (trouble) return random.pick(this.#troubles)();
    const watching = desktop.pages.filter(({ monitor }) => monitor.phase() !== 'inert');
    if (desktop.pages.length === 0) return desktop.load();
    if (watching.length === 0) return this.#signIn();
    if (desktop.pages.length < MOST_PAGES && random.chance(0.15)) return desktop.load();
    if (random.chance(0.12)) return this.#look();
    this.#work();
  }

  #signIn(): void {
    const page = this.random.pick(this.desktop.pages);
    if (this.random.chance(0.7)) this.desktop.leave(page);
    this.desktop.load('signIn', this.random.pick(USERS));
  }

  /** Looks at one tab, and with that away from others. */
  #look(): void {
    const { pages } = this.desktop;
    const chosen = this.random.pick(pages);
    const alsoSeen = this.random.chance(0.4);
    for (const page of pages) if (page !== chosen && !alsoSeen) page.hide();
    this.#bringBack(chosen);
  }

  #bringBack(page: Page): void {
    if (page.state === 'cached') page.restore();
    page.show();
  }

  #work(): void {
    const { random, desktop } = this;
    const seen = desktop.pages.filter((page) => page.visible && page.state === 'open');
    if (seen.length === 0) return this.#look();
    const page = random.pick(seen);
    const isWarned = page.monitor.phase() === 'warning';
    if (isWarned && random.chance(0.35)) return;
    const isWatching = isWarned || page.monitor.phase() === 'active';
    if (isWatching && random.chance(0.01)) return this.#signOut(page);
    desktop.act(page, isWarned && random.chance(0.4));
  }

  #signOut(page: Page): void {
    this.desktop.enter(page, () => void page.monitor.signOut());
  }

  #pauseMs(): number {
    const { expireAfter } = this.world.settings.limits;
    const rhythm: Rhythm = {
      soon: { weight: 40, fromMs: 0, toMs: 1500 },
      usual: { weight: 25, fromMs: 1000, toMs: expireAfter * 600 },
      edge: { weight: 25, fromMs: 0, toMs: expireAfter * 1000 },
      long: { weight: 10, fromMs: expireAfter * 1000, toMs: expireAfter * 1500 },
    };
    return pauseMs(this.random, rhythm, () => this.#untilAnEdgeMs());
  }

  #untilAnEdgeMs(): number | undefined {
    const { random, desktop, world } = this;
    const seen = desktop.pages.filter(({ visible }) => visible);
    if (seen.length === 0) return undefined;
    const { warnAfter, expireAfter } = world.settings.limits;
    const isWarning = random.chance(0.4);
    const remainingMs = random.pick(seen).monitor.remaining() * 1000;
    const inMs = remainingMs - (isWarning ? (expireAfter - warnAfter) * 1000 : 0) + random.pick(EDGES);
    return Number.isFinite(inMs) && inMs >= 0 ? inMs : undefined;
  }

  // Troubles.

  #changeNetwork(): void {
    const { network } = this.desktop;
    network.quality = this.random.pick(['good', 'slow', 'lossy', 'awful'] as const);
    this.world.note(`the network is ${network.quality}`);
    this.#later(this.#spellMs(), () => (network.quality = this.#usualNetwork));
  }

  #goOffline(): void {
    this.world.note('offline');
    this.desktop.network.offline = true;
    this.#later(this.#spellMs(), () => this.desktop.goOnline());
  }

  #sleep(): void {
    this.world.note('the laptop sleeps');
    this.desktop.sleep();
    this.#later(this.random.between(1000, this.world.settings.limits.expireAfter * 2000), () =>
      this.desktop.wake(),
    );
  }

  #setClock(): void {
    const { random } = this;
    const sizeMs = random.pick([random.between(1, 2000), random.between(2000, 60_000), HOUR_MS]);
    const byMs = random.chance(0.5) ? sizeMs : -sizeMs;
    this.world.note(`the laptop's clock is set by ${byMs} ms`);
    this.desktop.laptop.setClock(byMs);
    this.desktop.witness.stirred();
  }

  /** Closes a tab, or the browser does so without a word; often one that holds the lock. */
  #throwOut(): void {
    const { random, desktop } = this;
    const holder = desktop.pages.find((page) => desktop.holdsLock(page));
    const page =
      holder && random.chance(0.7) ? holder : desktop.pages.length > 0 && random.pick(desktop.pages);
    if (!page) return;
    const comesBack = random.chance(0.5);
    if (random.chance(0.4)) desktop.leave(page);
    else desktop.discard(page);
    if (comesBack) this.#later(random.between(100, 10_000), () => desktop.load());
  }

  /** Browsers freeze hidden tabs only. */
  #freeze(): void {
    const { random, desktop } = this;
    const page = random.pick(desktop.pages.filter(({ state }) => state === 'open'));
    if (!page) return;
    this.world.note(`${page.title} is frozen`);
    page.hide();
    // In a turn of its own, or the page would not notice that it is hidden.
    this.#later(random.pick([0, 1, 1000]), () => {
      if (page.state === 'open' && !page.visible) page.freeze();
    });
    if (random.chance(0.3)) this.#later(this.#spellMs(), () => page.alive && desktop.discard(page));
    else this.#later(this.#spellMs(), () => page.state === 'frozen' && page.thaw());
  }

  /** To another page and back, by the back/forward cache. */
  #browse(): void {
    const { random, desktop } = this;
    const page = random.pick(desktop.pages.filter(({ state }) => state === 'open'));
    if (!page) return;
    this.world.note(`${page.title} is cached`);
    page.cache();
    if (random.chance(0.4)) desktop.load();
    this.#later(this.#spellMs(), () => page.state === 'cached' && page.restore());
  }

  #useTheApplication(): void {
    const { random, desktop } = this;
    desktop.fetch(random.weighted({ view: 4, poll: 4, write: 4, rotate: 1, logOut: 1 }));
    if (random.chance(0.05)) desktop.load('signIn', random.pick(USERS));
  }

  #spellMs(): number {
    const { random } = this;
    const { expireAfter } = this.world.settings.limits;
    return random.pick([random.between(200, 3000), random.between(1000, expireAfter * 2000)]);
  }

  #later(delayMs: number, run: () => void): void {
    this.world.scheduler.after(delayMs, 'somebody with tabs', () => {
      if (!this.#resting) this.desktop.laptop.whenAwake(run);
    });
  }
}
