import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from 'express-session';

type Method = 'get' | 'set' | 'touch' | 'destroy' | 'all';
type Callback = (error?: unknown, value?: unknown) => void;
type Operation = (...args: unknown[]) => unknown;

const METHODS: readonly Method[] = ['get', 'set', 'touch', 'destroy', 'all'];

/**
 * How a store behaves:
 * - `sound`: as it is;
 * - `throws`, `rejects`, `fails`: an exception, a rejected promise without a callback, an error to the callback;
 * - `hangs`: no answer, and nothing is done;
 * - `doubles`: it does its work and answers twice, the second time with an error.
 */
export type Behaviour = 'sound' | 'throws' | 'rejects' | 'fails' | 'hangs' | 'doubles';

/** A call that reached the store. */
export interface StoreCall {
  readonly method: Method;
  readonly key: string;
}

/** Calls that are held back until they are let go. */
class Hold {
  readonly #held: (() => void)[] = [];
  readonly #arrivals: (() => void)[] = [];
  #arrived = 0;

  constructor(
    private readonly method: Method,
    private readonly keys: (key: string) => boolean,
    private readonly most: number,
  ) {}

  holds(method: Method, key: string): boolean {
    return method === this.method && this.#arrived < this.most && this.keys(key);
  }

  /** Resolves when so many calls are held. */
  async reached(count = 1): Promise<void> {
    while (this.#arrived < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  /** Lets the held calls go. */
  release(): void {
    for (const letGo of this.#held.splice(0)) letGo();
  }

  wait(): Promise<void> {
    this.#arrived++;
    for (const arrive of this.#arrivals.splice(0)) arrive();
    return new Promise((resolve) => this.#held.push(resolve));
  }
}

/**
 * Makes a real store slow or faulty, as a test says, by replacing its methods on the instance. A slow read gives out what
 * stood there before the delay, a slow write lands after it: the orders in which races are lost.
 */
export class Faults {
  behaviour: Behaviour = 'sound';
  /** Only calls for such keys are affected. */
  affects: (key: string, method: Method) => boolean = () => true;
  /** Milliseconds that a call takes longer. */
  delay: (method: Method) => number = () => 0;
  readonly calls: StoreCall[] = [];
  readonly #holds: Hold[] = [];
  readonly #watchers: (() => void)[] = [];

  constructor(store: Store) {
    const methods = store as unknown as Record<Method, Operation | undefined>;
    for (const method of METHODS) {
      const original = methods[method]?.bind(store);
      if (original) methods[method] = this.#replacing(method, original);
    }
  }

  /** Holds back the answers of reads, or the writes themselves; so many of them, the others pass. */
  hold(method: Method, keys: (key: string) => boolean, most: number): Hold {
    const hold = new Hold(method, keys, most);
    this.#holds.push(hold);
    return hold;
  }

  releaseAll(): void {
    for (const hold of this.#holds) hold.release();
  }

  /** Resolves when such a call comes. */
  async next(method: Method): Promise<void> {
    const before = this.calls.length;
    while (!this.calls.slice(before).some((call) => call.method === method)) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** The calls of one method, for sessions and not for the module's records. */
  count(method: Method): number {
    return this.calls.filter((call) => call.method === method && isSession(call.key)).length;
  }

  #replacing(method: Method, original: Operation): Operation {
    return (...args) => {
      const callback = (args.findLast((arg) => typeof arg === 'function') ?? (() => undefined)) as Callback;
      const key = typeof args[0] === 'string' ? args[0] : '';
      this.calls.push({ method, key });
      for (const look of this.#watchers.splice(0)) look();
      const behaviour = this.affects(key, method) ? this.behaviour : 'sound';
      if (behaviour === 'throws') throw new Error('the store is broken');
      if (behaviour === 'rejects') return Promise.reject(new Error('the store is broken'));
      if (behaviour === 'fails') return void setImmediate(callback, new Error('the store is broken'));
      if (behaviour === 'hangs') return undefined;
      const rest = args.filter((arg) => arg !== callback);
      return this.#perform(method, key, (answer) => original(...rest, answer), twiceIf(behaviour, callback));
    };
  }

  #perform(
    method: Method,
    key: string,
    operation: (answer: Callback) => unknown,
    callback: Callback,
  ): unknown {
    const late = this.#lateness(method, key);
    if (!late) return operation(callback);
    if (method === 'get' || method === 'all')
      return operation((...answer) => void late().then(() => callback(...answer)));
    return void late().then(() => operation(callback));
  }

  #lateness(method: Method, key: string): (() => Promise<unknown>) | undefined {
    const hold = this.#holds.find((each) => each.holds(method, key));
    if (hold) return () => hold.wait();
    const milliseconds = this.affects(key, method) ? this.delay(method) : 0;
    return milliseconds > 0 ? () => pause(milliseconds) : undefined;
  }
}

export function isSession(key: string): boolean {
  return !key.startsWith('session-security-');
}

function twiceIf(behaviour: Behaviour, callback: Callback): Callback {
  if (behaviour !== 'doubles') return callback;
  return (...answer) => {
    callback(...answer);
    callback(new Error('the store answers twice'));
  };
}
