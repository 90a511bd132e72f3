import session from 'express-session';

type Method = 'get' | 'set' | 'destroy' | 'all';
type Answer = (...answer: unknown[]) => void;

/** One call whose answer is held back: what it asked for is done, and nobody knows yet. */
export interface HeldCall {
  /** Resolves when the call has come. */
  readonly reached: Promise<void>;
  release(): void;
  /** Answers with an error, although it has been carried out. */
  fail(): void;
}

interface Interception {
  readonly method: Method;
  readonly matches: (key: string) => boolean;
  readonly intercept: (answer: () => void, fail: (error: Error) => void) => void;
}

export const isRecord = (key: string): boolean => key.startsWith('session-security-');
export const isSession = (key: string): boolean => key !== '' && !isRecord(key);

/** A memory store that does what it is asked at once, and answers when a test lets it, or with an error all the same. */
export class HeldStore extends session.MemoryStore {
  #interceptions: Interception[] = [];

  override get(...[id, callback]: Parameters<session.MemoryStore['get']>): void {
    super.get(id, this.#intercepted('get', id, callback));
  }

  override set(...[id, data, callback]: Parameters<session.MemoryStore['set']>): void {
    super.set(id, data, this.#intercepted('set', id, callback));
  }

  override destroy(...[id, callback]: Parameters<session.MemoryStore['destroy']>): void {
    super.destroy(id, this.#intercepted('destroy', id, callback));
  }

  override all(...[callback]: Parameters<session.MemoryStore['all']>): void {
    super.all(this.#intercepted('all', '', callback));
  }

  /** Holds back the answer of the next such call. */
  hold(method: Method, matches: (key: string) => boolean = () => true): HeldCall {
    let release = (): void => undefined;
    let fail = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      const intercept: Interception['intercept'] = (answer, refuse) => {
        release = answer;
        fail = () => refuse(new Error('the answer was lost'));
        resolve();
      };
      this.#interceptions.push({ method, matches, intercept });
    });
    return { reached, release: () => release(), fail: () => fail() };
  }

  /** Answers the next such call with an error, although it has been carried out. */
  failOnce(method: Method, matches: (key: string) => boolean = () => true): void {
    const intercept = (_: () => void, fail: (error: Error) => void): void =>
      fail(new Error('the answer was lost'));
    this.#interceptions.push({ method, matches, intercept });
  }

  #intercepted<Callback>(method: Method, key: string, callback: Callback): Callback {
    const interception = this.#interceptions.find((each) => each.method === method && each.matches(key));
    if (!interception) return callback;
    this.#interceptions = this.#interceptions.filter((each) => each !== interception);
    const call = (callback ?? (() => undefined)) as Answer;
    return ((...answer: unknown[]) =>
      interception.intercept(
        () => call(...answer),
        (error) => call(error),
      )) as Callback;
  }
}
