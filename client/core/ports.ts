import type { EndReason, Reply, StartValues } from './answer.js';
import type { Clock } from './steady-clock.js';

/** Where the monitor stands. `starting` and `inert` watch nothing; `covered` hides the page until the server has answered. */
export type Phase = 'starting' | 'inert' | 'active' | 'warning' | 'covered' | 'expired';

/** How long the session goes on, and what ends it then. */
export interface Standing {
  /** What comes first: the want of activity, or the absolute limit, which activity cannot move. */
  reason: 'idle' | 'lifetime';
  /** Seconds that the person can count on. */
  remaining: number;
}

/** What the monitor tells, and with it what an application can listen to. */
export interface MonitorEvents {
  /** The warning begins, or begins anew because something else comes first now. One of `lifetime` cannot be called off. */
  warn: Standing;
  /** The countdown moved. Only while the page is visible. */
  tick: Standing;
  /** The page is to be hidden until the server has answered: at the end by this clock, and out of the back/forward cache. */
  cover: Standing;
  /** Watching began, the warning is called off, or the page may be seen again. */
  active: Standing;
  /** The server has granted more time during a warning. */
  extended: Standing;
  /** The session has ended. `redirectTo` null: load the page again; undefined: the answer did not say. */
  expire: { reason: EndReason | null; redirectTo?: string | null };
  /** A request failed and will be repeated (`ping`) or may be repeated (`end`). `status` 0: no answer at all. */
  error: { request: 'ping' | 'end'; status: number };
}

/** The events of a session that has not ended. */
export type StandingEvent = Exclude<keyof MonitorEvents, 'expire' | 'error'>;

/** An event as a pair of name and detail. */
export type MonitorEvent =
  | [type: StandingEvent, detail: Standing]
  | [type: 'expire', detail: MonitorEvents['expire']]
  | [type: 'error', detail: MonitorEvents['error']];

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
   * Runs `work`, and says whether it has the lock of this name, or another tab has it. Without locks, all have. Resolves
   * when the lock is given back.
   */
  lock: (name: string, work: (granted: unknown) => Promise<void>) => Promise<void>;
  /** A number from 0 to 1. */
  chance: () => number;
  isVisible: () => boolean;
  /** There is something to watch, for this owner and with these settings: activity is of interest from now on. */
  watch: (settings: Partial<StartValues>, owner: string) => void;
  notify: (...event: MonitorEvent) => void;
}
