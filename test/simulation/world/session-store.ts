import session from 'express-session';
import type { SessionStorage } from './session-storage.js';
import type { StoreTraits } from './settings.js';

type Done = (error?: unknown, value?: unknown) => void;

/** The process that a connection belongs to: what it asked is carried out even when it has died, but not answered. */
export interface Caller {
  /** Lets something happen in the storage, whoever lives. */
  outside(delay: number, label: string, run: () => void): void;
  /** Lets something happen in the process, if it still lives. */
  inside(delay: number, label: string, run: () => void): void;
}

/** One process's connection to the session storage: a store of express-session, made as its documentation asks. */
export class SimulatedSessionStore extends session.Store {
  constructor(
    private readonly storage: SessionStorage,
    private readonly caller: Caller,
    private readonly traits: StoreTraits,
  ) {
    super();
    if (traits.lists) this.all = (callback) => this.#list(callback);
  }

  override get(
    sessionId: string,
    callback: (error: unknown, value?: session.SessionData | null) => void,
  ): void {
    const read = (): string | undefined => this.storage.read(sessionId);
    this.#send('get', sessionId, read, (error, text) =>
      callback(error, text === undefined ? undefined : (JSON.parse(text as string) as session.SessionData)),
    );
  }

  override set(sessionId: string, data: session.SessionData, callback?: Done): void {
    const text = JSON.stringify(data);
    this.#send('set', sessionId, () => this.storage.write(sessionId, text), callback);
  }

  override destroy(sessionId: string, callback?: Done): void {
    this.#send('destroy', sessionId, () => this.storage.remove(sessionId), callback);
  }

  override touch(sessionId: string, _data: session.SessionData, callback?: Done): void {
    const read = (): string | undefined => this.storage.read(sessionId);
    this.#send('touch', sessionId, read, (error, text) => {
      if (error || text === undefined || !this.traits.touchRewrites) return callback?.(error);
      try {
        this.#send('rewrite', sessionId, () => this.storage.write(sessionId, text as string), callback);
      } catch (failure) {
        callback?.(failure);
      }
    });
  }

  #list(callback: (error: unknown, sessions?: Record<string, session.SessionData> | null) => void): void {
    const list = (): [string, string][] => this.storage.keys().map((key) => [key, this.storage.read(key)!]);
    this.#send('all', '', list, (error, entries) => {
      if (error) return callback(error);
      const parsed = (entries as [string, string][]).map(([key, text]) => [key, JSON.parse(text)]);
      callback(undefined, Object.fromEntries(parsed));
    });
  }

  #send(name: string, key: string, apply: () => unknown, callback: Done = () => undefined): void {
    const { appliedIn, answeredIn, applied, outcome, echoIn } = this.storage.fate();
    const what = `${name} ${key}`;
    if (outcome === 'throw') throw new Error(`${what}: the store threw`);
    const error = outcome === 'error' ? new Error(`${what}: the store failed`) : undefined;
    const answer = (value: unknown): void => {
      const told = error ? ([error] as const) : ([undefined, value] as const);
      if (outcome === 'silence') return;
      this.caller.inside(answeredIn - appliedIn, `${what} ${outcome}`, () => callback(...told));
      if (echoIn !== undefined)
        this.caller.inside(answeredIn + echoIn, `${what} again`, () => callback(...told));
    };
    const carryOut = (): void => answer(applied ? apply() : undefined);
    if (appliedIn === 0) carryOut();
    else this.caller.outside(appliedIn, `${what} applied`, carryOut);
  }
}
