import { sessionIdIn } from './visit.js';

/** The session cookies of one browser: the one that it sends, and those that it had before. */
export class CookieJar {
  readonly former: string[] = [];
  #cookie: string | undefined;

  get cookie(): string | undefined {
    return this.#cookie;
  }

  get sessionId(): string | undefined {
    return this.#cookie === undefined ? undefined : sessionIdIn(this.#cookie);
  }

  /** All that there ever were. */
  get all(): string[] {
    return [...this.former, ...(this.#cookie === undefined ? [] : [this.#cookie])];
  }

  /** @param lines the `Set-Cookie` values of an answer */
  keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, value] = /^connect\.sid=([^;]+)/.exec(line) ?? [];
      if (value === undefined || value === this.#cookie) continue;
      if (this.#cookie !== undefined) this.former.push(this.#cookie);
      this.#cookie = value;
    }
  }
}
