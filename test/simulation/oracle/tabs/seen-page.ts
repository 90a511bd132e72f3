import type { MonitorEvent } from '../../../../client/core/ports.js';
import type { Page } from '../../world/browser/page.js';

/** What a person sees of one page, from what happened to it. Instants of the world's time. */
export class SeenPage {
  /** Whose page it is, at the latest from the first answer on. */
  owner: string | undefined;
  /** When it was last answered that its session lives. */
  heardAt = -Infinity;
  /** When it last asked in vain. */
  failedAt = -Infinity;
  /** Its content may be seen, and is somebody's. */
  shownSince: number | undefined;
  warnedSince: number | undefined;
  /** The warning cannot be called off. */
  isFinal = false;
  coveredSince: number | undefined;
  endedAt: number | undefined;

  constructor(
    readonly page: Page,
    readonly openedAt: number,
  ) {
    this.owner = page.madeFor;
  }

  happened([type, detail]: MonitorEvent, at: number): void {
    if (type === 'warn') {
      this.warnedSince = at;
      this.isFinal = detail.reason === 'lifetime';
    }
    if (type === 'active') {
      this.shownSince ??= at;
      this.coveredSince = undefined;
    }
    if (type === 'cover') this.coveredSince = at;
    if (type === 'expire') this.endedAt = at;
    if (type === 'cover' || type === 'expire') this.shownSince = undefined;
    if (type !== 'warn' && type !== 'tick' && type !== 'error' && type !== 'extended')
      this.warnedSince = undefined;
  }

  /** Somebody who looks at the screen sees the content, and the browser lets the page do what it has to do. */
  get isSeen(): boolean {
    return this.shownSince !== undefined && this.page.visible && this.page.isAwake;
  }

  get title(): string {
    return this.page.title;
  }
}
