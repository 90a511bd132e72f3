import type { Reply } from '../../../../client/core/answer.js';
import type { PageRequest } from '../../world/browser/desktop.js';
import type { Page } from '../../world/browser/page.js';

/** An answer that takes longer is late. */
export const QUICK_MS = 500;

/**
 * Since when all requests of a browser's pages have been answered well and soon. Only then it is clear what a page can
 * know.
 */
export class Calm {
  readonly #open = new Set<PageRequest>();
  #troubledAt = -Infinity;
  #answeredAt = -Infinity;

  asked(request: PageRequest): void {
    this.#open.add(request);
  }

  /** Whether it was answered well. */
  heard(request: PageRequest, reply: Reply | undefined, at: number): boolean {
    this.#open.delete(request);
    const isGood = reply?.status === 200 && Object.hasOwn(Object(reply.body), 'owner');
    if (!isGood || at > request.sentAt + QUICK_MS) this.#troubledAt = at;
    else this.#answeredAt = at;
    return isGood;
  }

  /** A page is gone. What it had asked for before is lost to the others, who were waiting for it too. */
  gone(page: Page, at: number): void {
    for (const request of this.#open) {
      if (request.page !== page) continue;
      this.#open.delete(request);
      if (request.sentAt < at) this.#troubledAt = at;
    }
  }

  /** Nothing went wrong since then, and whatever did before is forgotten. */
  hasLastedSince(since: number, at: number): boolean {
    for (const { sentAt } of this.#open) if (at > sentAt + QUICK_MS) this.#troubledAt = at;
    return this.#troubledAt < Math.min(since, this.#answeredAt);
  }
}
