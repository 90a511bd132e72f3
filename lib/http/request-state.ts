import type { ActivityRecord, EndReason } from '../activity/activity-record.js';

/** What the module knows of one request; kept beside the request while it lasts. */
export interface RequestState {
  /**
   * - `unwatched`: nobody is signed in;
   * - `watched`: a living session;
   * - `ended`: the session of this request's cookie is over, and the request goes on as nobody;
   * - `turned-away`: the user has as many sessions as are allowed, this one was not begun;
   * - `unknown`: the store does not answer, so nobody is let in and nobody is ended.
   */
  outcome: 'unwatched' | 'watched' | 'ended' | 'turned-away' | 'unknown';
  /** The session id under which it is watched. */
  sessionId?: string;
  /** With `ended`: why (`null` if not known) and when. */
  ended?: { readonly reason: EndReason | null; readonly at: number };
  /** With `ended`: the session id of the cookie, if the end had come before this request. */
  endedId?: string;
  /** A record whose session id this request gave up: it is carried over to the new id, or told as ended. */
  rotated?: { readonly sessionId: string; readonly record: Promise<ActivityRecord | undefined> };
}
