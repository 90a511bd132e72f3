/** What Web Locks are between the tabs of one browser, as far as they are asked for with `ifAvailable`. */
export class VirtualLocks<Tab> {
  readonly #holders = new Map<string, Tab>();

  /** Gives the lock to a tab. Answers how it is given back; undefined if another holds it. */
  take(name: string, tab: Tab): (() => void) | undefined {
    if (this.#holders.has(name)) return undefined;
    this.#holders.set(name, tab);
    return () => {
      if (this.#holders.get(name) === tab) this.#holders.delete(name);
    };
  }

  /** The tab is gone: the browser gives back what it held. */
  releaseOf(tab: Tab): void {
    for (const [name, holder] of this.#holders) if (holder === tab) this.#holders.delete(name);
  }

  holds(tab: Tab): boolean {
    return [...this.#holders.values()].includes(tab);
  }
}
