import type { EndReason } from '../activity/activity-record.js';

/** What the module knows of one request; kept beside the request while it lasts. */
export interface RequestState {
  /**
   * - `unwatched`: nobody is signed in;
   * - `watched`: a living session;
   * - `ended`: the session of this request's cookie is over, and the request goes on as nobody;
   * - `turned-away`: the user has as many sessions as are allowed, this one was not begun;
   * - `unknown`: it cannot be told whose session it is, so nobody is let in and nobody is ended.
   */
  outcome: 'unwatched' | 'watched' | 'ended' | 'turned-away' | 'unknown';
  /** The session id under which it is watched… */
  sessionId?: string;
  /** …and which of the lives that this id may have seen. */
  life?: number;
  /** The session did not carry the marker when this request read it. */
  isMarkedNow?: boolean;
  /** With `ended`: why (`null` if not known) and when. */
  ended?: { readonly reason: EndReason | null; readonly at: number };
  /** With `ended`: the session id of the cookie, if the end had come before this request. */
  endedId?: string;
  /** A session id that this request gave up: the session is carried over to the new id, or it has ended. */
  rotatedFrom?: string;
  /** The watched session that this request had read, and gave the id of up. */
  former?: { readonly sessionId: string; readonly life: number };
  /** With `unknown`: the session that could not be read, if the request has proved to hold it. */
  unreadId?: string;
  /** With `unknown`: the id, given up for another, of a session that the request has proved to hold. All it may do is end it. */
  movedId?: string;
  /** With `unknown`: it was the store that failed. */
  storeFailed?: boolean;
  /** What the handler changed could not be settled, and is left to the next request. */
  unsettled?: true;
}
