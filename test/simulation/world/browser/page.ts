import type { MonitorEvent } from '../../../../client/core/ports.js';
import { VirtualTab, type TabSurroundings } from '../../../support/client/virtual-tab.js';
import type { Inhabitant } from '../server-process.js';

/** Timers of hidden pages fire at whole seconds… */
const SECOND_MS = 1000;
/** …and once a minute, when they are chained, in pages that have been hidden for long; five minutes in real browsers. */
const MINUTE_MS = 60_000;
const LONG_HIDDEN_MS = 10_000;
const CHAIN = 5;

/** Where pages live, and who looks at them. */
export interface PageHome extends TabSurroundings {
  enter(page: Page, run: () => void): void;
  /** Lets something go on as soon as it can. */
  soon(page: Page, run: () => void): void;
  happened(page: Page, event: MonitorEvent): void;
  chance(): number;
}

/**
 * One page in a tab, from its load until it is left: the real monitor, and what browsers do to the pages around it.
 *
 * - `open`: runs, with slow timers while it is hidden;
 * - `frozen`: runs nothing, but may be told what other tabs say;
 * - `cached`: lies in the back/forward cache;
 * - `gone`: closed, left, discarded or crashed.
 */
export class Page extends VirtualTab implements Inhabitant {
  state: 'open' | 'frozen' | 'cached' | 'gone' = 'open';
  /** Since when it could hear and do everything in time; `Infinity` when it cannot. */
  awakeSince: number;
  visibleSince: number;
  /** When it came out of the back/forward cache. */
  restoredAt = -Infinity;
  /** Of the timer that runs, how many set one another before it. */
  #nesting = 0;
  #hiddenSince = 0;
  #held: (() => void)[] = [];

  constructor(
    readonly number: number,
    private readonly home: PageHome,
    /** Whether it is told what other tabs say while it is frozen, afterwards or never: browsers differ. */
    readonly hearsFrozen: 'at once' | 'later' | 'never',
    /** For whom it was made, if it says so. */
    readonly madeFor: string | undefined,
  ) {
    super(home, {
      ...(madeFor === undefined ? {} : { owner: madeFor }),
      settings: {},
      random: () => home.chance(),
    });
    this.awakeSince = this.visibleSince = home.time;
    this.listener = () => {
      const { type, detail } = this.events.at(-1)!;
      home.happened(this, [type, detail] as MonitorEvent);
    };
  }

  get title(): string {
    return `page ${this.number}`;
  }

  get alive(): boolean {
    return this.state !== 'gone';
  }

  /** It can do things now. */
  get isAwake(): boolean {
    return this.awakeSince <= this.home.time;
  }

  /** Runs a task of the page, or holds it until the page goes on. */
  run(task: () => void): void {
    if (this.state === 'open') this.home.enter(this, task);
    else if (this.state !== 'gone') this.#held.push(task);
  }

  /** Runs what another tab says. */
  hear(task: () => void): void {
    if (this.state !== 'frozen' || this.hearsFrozen === 'later') this.run(task);
    else if (this.hearsFrozen === 'at once') this.home.enter(this, task);
  }

  /** A timer's task: those that it sets are one further in the chain. */
  nested(nesting: number, task: () => void): void {
    this.run(() => {
      this.#nesting = nesting;
      task();
      this.#nesting = 0;
    });
  }

  get nextNesting(): number {
    return this.#nesting + 1;
  }

  /** When a timer that is due then really fires, by the monotonic clock. */
  firesAt(due: number, nesting: number): number {
    if (this.visible) return due;
    const isSlow = nesting >= CHAIN && this.home.time - this.#hiddenSince >= LONG_HIDDEN_MS;
    const step = isSlow ? MINUTE_MS : SECOND_MS;
    return Math.ceil(due / step) * step;
  }

  show(): void {
    if (this.visible) return;
    this.visible = true;
    this.visibleSince = this.home.time;
    if (this.state === 'frozen') this.thaw();
    else this.run(() => this.monitor.wake());
  }

  hide(): void {
    if (!this.visible) return;
    this.visible = false;
    this.visibleSince = Infinity;
    this.#hiddenSince = this.home.time;
    this.run(() => this.monitor.wake());
  }

  override freeze(): void {
    super.freeze();
    this.state = 'frozen';
    this.awakeSince = Infinity;
  }

  override thaw(): void {
    this.#goOn(() => super.thaw());
  }

  /** Into the back/forward cache. */
  cache(): void {
    this.home.enter(this, () => this.monitor.suspend());
    this.state = 'cached';
    this.awakeSince = Infinity;
  }

  /** And out of it. */
  restore(): void {
    this.restoredAt = this.home.time;
    this.#goOn(() => this.monitor.restore());
  }

  /** From now on nothing of it runs any more. */
  vanish(): void {
    this.state = 'gone';
    this.awakeSince = this.visibleSince = Infinity;
    this.#held = [];
  }

  #goOn(signal: () => void): void {
    this.state = 'open';
    this.awakeSince = this.home.time;
    this.home.enter(this, signal);
    for (const task of this.#held.splice(0)) this.home.soon(this, task);
  }
}
