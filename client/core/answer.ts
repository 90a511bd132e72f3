import { PHASES, STARTING } from './phases.js';

/** Why a session ended. `null` on the wire means that the server does not know. */
export type EndReason = 'idle' | 'lifetime' | 'logout' | 'revoked' | 'replaced';

/** The limits in force for this session, in seconds. */
export interface Limits {
  warnAfter: number;
  expireAfter: number;
  maxLifetime: number | null;
}

/** The answer for a session that is being watched. Durations in seconds, relative to the moment of answering. */
export interface LiveAnswer {
  state: 'active' | 'warning';
  idleFor: number;
  warnIn: number;
  expireIn: number;
  lifetimeIn: number | null;
  limits: Limits;
  owner: string;
}

/** The answer when there is nothing to watch. `redirectTo` undefined: the answer did not say where to go. */
export interface OverAnswer {
  state: 'expired' | 'anonymous' | 'exempt';
  reason: EndReason | null;
  redirectTo?: string | null;
  /** Of somebody who is never timed out. */
  owner?: string | null;
}

/** What the server says of this browser's session; docs/wire.md describes every field. */
export type PingAnswer = (LiveAnswer | OverAnswer) & { client?: Partial<StartValues> };

/** What the server's configuration says of the client, sent with the first answer only. */
export interface StartValues {
  /** Scopes the tab channel, so that two applications on one origin do not mix. */
  application: string;
  /** Where to sign in, when an answer without a body (a bare 401) ends the session. */
  loginUrl: string | null;
  /** Where to go after signing out; `null`: load the page again. */
  logoutUrl: string | null;
  /** Query parameter that carries the way back; `null`: none. */
  returnParameter: string | null;
  /** What happens to the page when the session has ended. */
  onExpire: 'navigate' | 'lock' | 'event';
  /** What calls the warning off: any activity, or only the button. */
  dismiss: 'activity' | 'button';
  /** What Escape means in the dialog. */
  escape: 'stay' | 'sign-out' | 'ignore';
  /** `false`: no dialog, events only. */
  dialog: boolean;
  /** Names of events that count as activity; `null`: the built-in list. */
  events: readonly string[] | null;
  /** Texts that replace the built-in ones, by key. */
  texts: Record<string, string> | null;
  /** BCP 47 tag of the dialog's language; `null`: the page's, else the browser's. */
  language: string | null;
}

/** A response as far as it matters here. A redirect that was not followed has a status of 300 to 399. */
export interface Reply {
  status: number;
  body: unknown;
  /** The `Retry-After` header. Only a number of seconds is understood, the form that servers of requests like these use. */
  retryAfter: string | null;
}

/** The part of an owner that stands for the user; the rest, for the sign-in. */
export const userOf = (owner: string): string => owner.split('.')[0]!;

/** Only a session that is being watched has limits. */
export const isLive = (answer: PingAnswer): answer is LiveAnswer & { client?: Partial<StartValues> } =>
  !!(answer as LiveAnswer).limits;

/** The states after which nothing is watched. */
const OVER = ['expired', 'anonymous', 'exempt'];

/** The answer in `body`, or undefined for anything that is not exactly one: garbage must never mean "alive" or "ended". */
export const parseAnswer = (body: unknown): PingAnswer | undefined => {
  const { state, idleFor, expireIn, lifetimeIn, limits, owner } = (body ?? {}) as LiveAnswer;
  if (
    limits
      ? PHASES.indexOf(state) > STARTING &&
        [idleFor, expireIn, lifetimeIn ?? 0, limits.warnAfter, owner?.length].every(
          (value) => Number.isFinite(value) && value >= 0,
        ) &&
        limits.expireAfter > limits.warnAfter &&
        expireIn > 0
      : OVER.includes(state)
  )
    return body as PingAnswer;
};

/** 419 and 440 are what other frameworks answer when a session has expired. A status has three digits. */
const ENDED = /3..|4(0[13]|1[09]|40)/;

/** What a reply says; undefined: nothing certain, so the server is to be asked again. */
export function readReply(reply: Reply | undefined): PingAnswer | undefined {
  // The expression makes a string of it.
  if (ENDED.test(reply?.status as never)) return { state: 'expired', reason: null };
  if (reply?.status === 200) return parseAnswer(reply.body);
}
