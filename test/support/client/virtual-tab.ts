import type { Reply, StartValues } from '../../../client/core/answer.js';
import type {
  MonitorEvent,
  MonitorEvents,
  MonitorPorts,
  TabChannel,
  TabListener,
} from '../../../client/core/ports.js';
import { createSessionMonitor } from '../../../client/core/session-monitor.js';
import type { SessionMonitor } from '../../../client/core/session-monitor.js';
import type { Clock } from '../../../client/core/steady-clock.js';
import { signOut } from '../../../client/ending/sign-out.js';

/** The browser, machine and network around a tab. */
export interface TabSurroundings extends Clock {
  /** True time in milliseconds since the beginning. */
  readonly time: number;
  /** A one-shot timer of the tab; what is answered cancels it. */
  at(delayMs: number, run: () => void, tab: VirtualTab): () => void;
  send(tab: VirtualTab, path: string, body: object | undefined, limitMs: number): Promise<Reply>;
  channel(tab: VirtualTab, name: string, receive: TabListener): TabChannel | undefined;
  lock(tab: VirtualTab, name: string, work: (granted: unknown) => Promise<void>): Promise<void>;
}

export interface VirtualTabOptions {
  /** The owner for whom the page was rendered. */
  owner?: string;
  /** What the page itself sets, over the server's values. */
  settings?: Partial<StartValues>;
  random?: () => number;
}

type RecordedEvent = {
  [Type in keyof MonitorEvents]: { type: Type; at: number; detail: MonitorEvents[Type] };
}[keyof MonitorEvents];

/** One tab: the real monitor, and a record of what it did to the page. */
export class VirtualTab {
  readonly monitor: SessionMonitor & { signOut: () => Promise<boolean> };
  readonly events: RecordedEvent[] = [];
  covered = false;
  watching = false;
  visible = true;
  frozen = false;
  /** Runs inside `notify`, as a listener of the application would. */
  listener: (type: keyof MonitorEvents) => void = () => {};

  constructor(
    private readonly browser: TabSurroundings,
    { owner, settings, random = () => 0.5 }: VirtualTabOptions,
  ) {
    const ports: MonitorPorts = {
      wall: () => browser.wall(),
      monotonic: () => browser.monotonic(),
      setTimer: (callback, delayMs) => {
        if (delayMs > 2 ** 31 - 1) throw new RangeError(`A browser fires a timer of ${delayMs} ms at once.`);
        return browser.at(delayMs, callback, this);
      },
      clearTimer: (cancel) => (cancel as (() => void) | undefined)?.(),
      transport: (path, body, limitMs) => browser.send(this, path, body, limitMs),
      channel: (name, receive) => browser.channel(this, name, receive),
      lock: (name, work) => browser.lock(this, name, work),
      chance: random,
      isVisible: () => this.visible,
      watch: () => (this.watching = true),
      notify: (...event) => this.record(...event),
    };
    const monitor = createSessionMonitor(ports, { application: 'clinic', owner, ...settings });
    this.monitor = { ...monitor, signOut: () => signOut(monitor.send, monitor.finish, ports.notify) };
  }

  /** The browser stops the page, and lets it go on. */
  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    this.monitor.wake();
  }

  /** The instants, in milliseconds, at which events of this type came. */
  times(type: keyof MonitorEvents): number[] {
    return this.events.filter((event) => event.type === type).map(({ at }) => at);
  }

  count(type: keyof MonitorEvents): number {
    return this.times(type).length;
  }

  last<Type extends keyof MonitorEvents>(type: Type): MonitorEvents[Type] | undefined {
    return this.events.filter((event) => event.type === type).at(-1)?.detail as
      MonitorEvents[Type] | undefined;
  }

  private record(...[type, detail]: MonitorEvent): void {
    if (type === 'cover' || type === 'expire') this.covered = true;
    if (type === 'active') this.covered = false;
    this.events.push({ type, detail, at: this.browser.time } as RecordedEvent);
    this.listener(type);
  }
}
