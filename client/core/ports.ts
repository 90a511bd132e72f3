import type { EndReason, Reply, StartValues } from './answer.js';
import type { Clock } from './steady-clock.js';

/** Where the monitor stands. `starting` and `inert` watch nothing; `covered` hides the page until the server has answered. */
export type Phase = 'starting' | 'inert' | 'active' | 'warning' | 'covered' | 'expired';

/** What the monitor tells, and with it what an application can listen to. */
export interface MonitorEvents {
  /** The warning begins. `remaining` in seconds; a `lifetime` warning cannot be called off. */
  warn: { reason: 'idle' | 'lifetime'; remaining: number };
  /** The countdown moved, in seconds. Only while the page is visible. */
  tick: { remaining: number };
  /** The page is to be hidden until the server has answered: at the end by this clock, and out of the back/forward cache. */
  cover: null;
  /** Watching began, the warning is called off, or the page may be seen again. */
  active: null;
  /** The server has granted more time during a warning. `remaining` in seconds. */
  extended: { remaining: number };
  /** The session has ended. `redirectTo` null: load the page again; undefined: the answer did not say. */
  expire: { reason: EndReason | null; redirectTo?: string | null };
  /** A request failed and will be repeated (`ping`) or may be repeated (`end`). `status` 0: no answer at all. */
  error: { request: 'ping' | 'end'; status: number };
}

/** An event as a pair of name and detail. */
export type MonitorEvent = {
  [Type in keyof MonitorEvents]: [type: Type, detail: MonitorEvents[Type]];
}[keyof MonitorEvents];

/** What an application or page may say of its client. */
export interface MonitorOptions extends Partial<StartValues> {
  /** The owner for whom the page was rendered; when the server names another, the page is stale. */
  owner?: string | undefined;
}

/** Sends one request to the server: POST with a body, GET without. Rejects when no answer came within `limitMs`. */
export type Transport = (path: string, body: object | undefined, limitMs: number) => Promise<Reply>;

/** Takes whatever anybody on this origin has sent, so it trusts no part of it. */
export type TabListener = (message: never) => void;

/** What one tab hears of the others. */
export interface TabChannel {
  postMessage(message: unknown): void;
  close(): void;
}

/** Everything the monitor needs from the world. */
export interface MonitorPorts extends Clock {
  /** A one-shot timer. */
  setTimer: (callback: () => void, delayMs: number) => unknown;
  clearTimer: (timer: unknown) => void;
  transport: Transport;
  /** Opens the channel of that name to the other tabs of this browser; undefined where there is no such thing. */
  channel: (name: string, receive: TabListener) => TabChannel | undefined;
  /**
   * Runs `work` unless another tab is running its own under this name, else `wait`. Without locks, all tabs run. Resolves
   * when the next may run.
   */
  lock: (name: string, work: () => Promise<void>, wait: () => void) => Promise<void>;
  /** A number from 0 to 1. */
  chance: () => number;
  isVisible: () => boolean;
  /** There is something to watch, for this owner and with these settings: activity is of interest from now on. */
  watch: (settings: Partial<StartValues>, owner: string) => void;
  notify: (...event: MonitorEvent) => void;
}
