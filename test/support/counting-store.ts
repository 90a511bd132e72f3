import session from 'express-session';

/** Counts what is asked of the store, apart from the module's own records. */
export class CountingStore extends session.MemoryStore {
  readonly calls: string[] = [];

  override set(...[id, ...rest]: Parameters<session.MemoryStore['set']>): void {
    this.#count('set', id);
    super.set(id, ...rest);
  }

  override touch(...[id, ...rest]: Parameters<session.MemoryStore['touch']>): void {
    this.#count('touch', id);
    super.touch(id, ...rest);
  }

  override destroy(...[id, ...rest]: Parameters<session.MemoryStore['destroy']>): void {
    this.#count('destroy', id);
    super.destroy(id, ...rest);
  }

  #count(name: string, id: string): void {
    if (!id.startsWith('session-security-')) this.calls.push(name);
  }
}
