import type { EndReason } from './activity-record.js';

/** How long the end of a session is remembered, in milliseconds: what is in flight then has long been answered. */
const LIFETIME_MS = 60 * 60 * 1000;

/** What is remembered of a session that has ended. */
export interface Tombstone {
  /** `null`: ended, but why is not known. */
  readonly reason: EndReason | null;
  readonly at: number;
  readonly userId?: string;
  /** The session's cookie has been presented since. */
  presented?: boolean;
}

/**
 * Session ids that must not come back, for an hour. A tombstone stands before anything of the session is removed, so
 * whatever writes the session later finds it, in whichever order things happen.
 */
export class Tombstones {
  /** In order of burial, so the oldest are swept from the front. */
  readonly #graves = new Map<string, Tombstone>();

  bury(sessionId: string, tombstone: Tombstone): void {
    if (!this.#graves.has(sessionId)) this.#graves.set(sessionId, tombstone);
  }

  /** Names the reason of an end that was certain before its reason was. */
  explain(sessionId: string, tombstone: Tombstone): void {
    this.#graves.set(sessionId, tombstone);
  }

  find(sessionId: string): Tombstone | undefined {
    return this.#graves.get(sessionId);
  }

  sweep(now: number): void {
    for (const [sessionId, { at }] of this.#graves) {
      if (at + LIFETIME_MS > now) return;
      this.#graves.delete(sessionId);
    }
  }
}
