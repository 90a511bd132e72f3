import type { Reply } from '../../../client/core/answer.js';
import type { TabChannel, TabListener } from '../../../client/core/ports.js';
import { FakeSessionServer } from './fake-session-server.js';
import type { FakeLimits } from './fake-session-server.js';
import { VirtualChannels } from './virtual-channels.js';
import { VirtualLocks } from './virtual-locks.js';
import { type TabSurroundings, VirtualTab, type VirtualTabOptions } from './virtual-tab.js';

/** What the network does to one request. */
export type Mishap =
  /** The request fails at once. */
  | 'refused'
  /** The request never arrives; it fails at its time limit. */
  | 'lost'
  /** The server counts the request, its answer gets lost. */
  | 'answer lost'
  /** Nothing ever happens, not even at the time limit. */
  | 'hung'
  /** Something on the way answers in the server's place. */
  | Reply;

interface Event {
  at: number;
  order: number;
  tab: VirtualTab | undefined;
  run: () => void;
}

/** An arbitrary time of day; nothing may depend on it. */
const WALL_START = Date.UTC(2026, 9, 25, 0, 30);

/**
 * One browser on one machine, and a server elsewhere, in virtual time: tabs with the real monitor, a network, channels,
 * locks and two clocks. Nothing sleeps; `advance` runs all that is due, in order.
 */
export class VirtualBrowser implements TabSurroundings {
  readonly tabs: VirtualTab[] = [];
  readonly server: FakeSessionServer;
  /** One way, in milliseconds. */
  latency = { up: 5, down: 5 };
  offline = false;
  hasChannels = true;
  hasLocks = true;
  /** What happens to the next requests, in order; none: they arrive. */
  readonly mishaps: Mishap[] = [];

  private awake = 0;
  private slept = 0;
  private sleptMonotonic = 0;
  private wallSet = 0;
  private order = 0;
  private queue: Event[] = [];
  // No tab given: a frozen page does receive messages.
  private readonly channels = new VirtualChannels<VirtualTab>((_tab, run) => this.at(1, run));
  private readonly locks = new VirtualLocks<VirtualTab>();

  constructor(limits: FakeLimits) {
    this.server = new FakeSessionServer(() => this.time, limits);
  }

  /** True time in milliseconds since the beginning. */
  get time(): number {
    return this.awake + this.slept;
  }

  wall(): number {
    return Math.floor(WALL_START + this.time + this.wallSet);
  }

  monotonic(): number {
    return this.awake + this.sleptMonotonic;
  }

  /** Somebody sets the clock of this machine, in milliseconds; daylight saving time does not, it only changes what is shown. */
  setClock(byMs: number): void {
    this.wallSet += byMs;
  }

  /** The lid is closed: nothing runs. On macOS and Linux the monotonic clock stands still, on Windows it does not. */
  sleep(ms: number, monotonicCounts = false): void {
    this.slept += ms;
    if (monotonicCounts) this.sleptMonotonic += ms;
  }

  /** Lets time pass and runs what is due. */
  async advance(ms: number): Promise<void> {
    const until = this.awake + ms;
    await settle();
    for (;;) {
      const next = this.next();
      if (!next || next.at > until) break;
      this.awake = Math.max(this.awake, next.at);
      this.queue.splice(this.queue.indexOf(next), 1);
      next.run();
      await settle();
    }
    this.awake = until;
  }

  /** Advances in small steps while doing something at each. */
  async during(ms: number, everyMs: number, act: () => void): Promise<void> {
    for (let passed = 0; passed < ms; passed += everyMs) {
      act();
      await this.advance(everyMs);
    }
  }

  async open(options: VirtualTabOptions = {}): Promise<VirtualTab> {
    const tab = new VirtualTab(this, options);
    this.tabs.push(tab);
    tab.monitor.start();
    await this.advance(50);
    return tab;
  }

  /** Several tabs whose pages were loaded at once. */
  async openMany(count: number): Promise<VirtualTab[]> {
    const tabs = Array.from({ length: count }, () => new VirtualTab(this, {}));
    this.tabs.push(...tabs);
    for (const tab of tabs) tab.monitor.start();
    await this.advance(50);
    return tabs;
  }

  at(delayMs: number, run: () => void, tab?: VirtualTab): () => void {
    const event = { at: this.awake + Math.max(0, delayMs), order: this.order++, tab, run };
    this.queue.push(event);
    return () => {
      const index = this.queue.indexOf(event);
      if (index >= 0) this.queue.splice(index, 1);
    };
  }

  /** Timers, deliveries and anything else that a tab still waits for. */
  pendingOf(tab: VirtualTab): number {
    return this.queue.filter((event) => event.tab === tab).length;
  }

  openChannelsOf(tab: VirtualTab): number {
    return this.channels.countOf(tab);
  }

  send(tab: VirtualTab, path: string, body: object | undefined, limitMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const mishap = this.offline ? 'refused' : this.mishaps.shift();
      const fail = () => reject(new TypeError('Failed to fetch'));
      if (mishap === 'hung') return;
      if (mishap === 'refused') return void this.at(1, fail, tab);
      const giveUp = this.at(limitMs, fail, tab);
      if (mishap === 'lost') return;
      const answer = (reply: Reply) =>
        this.at(
          this.latency.down,
          () => {
            giveUp();
            resolve(reply);
          },
          tab,
        );
      if (typeof mishap === 'object') return void answer(mishap);
      const request = body && (structuredClone(body) as Record<string, unknown>);
      this.at(this.latency.up, () => {
        const reply = this.server.handle(request ? 'POST' : 'GET', path, request);
        if (mishap !== 'answer lost') answer(structuredClone(reply));
      });
    });
  }

  channel(tab: VirtualTab, name: string, receive: TabListener): TabChannel | undefined {
    return this.hasChannels ? this.channels.open(tab, name, receive) : undefined;
  }

  /** Something on this origin writes to all channels. */
  shout(message: unknown): void {
    this.channels.shout(message);
  }

  channelNames(): string[] {
    return this.channels.names;
  }

  async lock(tab: VirtualTab, name: string, work: (granted: unknown) => Promise<void>): Promise<void> {
    if (!this.hasLocks) return work(true);
    const release = this.locks.take(name, tab);
    await work(release);
    release?.();
  }

  private next(): Event | undefined {
    const runnable = this.queue.filter(({ tab }) => !tab?.frozen);
    return runnable.reduce<Event | undefined>(
      (first, event) =>
        !first || event.at < first.at || (event.at === first.at && event.order < first.order) ? event : first,
      undefined,
    );
  }
}

/** Lets all promises go on that can. */
async function settle(): Promise<void> {
  for (let round = 0; round < 10; round++) await Promise.resolve();
}
