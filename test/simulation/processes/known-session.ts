import type { EndReason } from '../../../lib/index.js';

/** A sign-in and what truly became of it. Instants of the world's time. */
export class KnownSession {
  /** The latest instant at which somebody was surely there and was served. */
  lastAccepted: number;
  /** Redis has recorded that it began… */
  startedAt: number | undefined;
  /** …and that it ended. */
  endedAt: number | undefined;
  endReason: EndReason | undefined;
  /** Ways out that somebody took. */
  readonly claims = new Set<EndReason>();
  /** Processes on which it was signed out: they serve it no more, whatever Redis knows. */
  readonly signedOutOn = new Map<number, number>();
  /** Redis failed while it began: it may be given up without a cause, and begin anew. */
  doubtful = false;
  /** Activity that only the memory of a process knew, which then died or stood still: it may be lost. */
  forgotten = false;
  /** Which process has served it while Redis was away, since it was written last. */
  trustedBy: number | undefined;
  /** How often each kind of event was handled, and under which id. */
  readonly handled = new Map<string, { id: string; count: number }>();
  /** Processes that have told of its end. */
  readonly toldBy = new Set<number>();

  constructor(
    readonly sessionId: string,
    /** Keyed hash of the session id, which stands for it in records and events. */
    readonly reference: string,
    readonly user: string,
    readonly signedInAt: number,
  ) {
    this.lastAccepted = signedInAt;
  }

  get title(): string {
    return `${this.sessionId} of ${this.user}`;
  }
}
