import { Injectable } from '@nestjs/common';
import type { EndReason } from '../activity/activity-record.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { Clock } from '../activity/clock.js';
import { SessionReferences } from '../activity/session-reference.js';
import { type ClientOptions, SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { isExempt, judge, type Limits } from '../policy/index.js';
import { ClientTexts } from './client-texts.js';
import { type DraftGrant, DraftKeys } from './draft-keys.js';
import { SessionEnforcer } from './session-enforcer.js';

/** Where a request's session stands, as it is told to the browser; `docs/wire.md`. Durations in seconds. */
export interface SessionStatus {
  readonly state: 'active' | 'warning' | 'expired' | 'anonymous' | 'exempt';
  readonly reason: EndReason | null;
  readonly idleFor: number | null;
  readonly warnIn: number | null;
  readonly expireIn: number | null;
  readonly lifetimeIn: number | null;
  readonly limits: Limits | null;
  readonly owner: string | null;
  readonly redirectTo: string | null;
}

/** What the client script needs to start; `docs/wire.md`. */
export type ClientStart = Required<{ [Name in keyof ClientOptions]: ClientOptions[Name] | null }> & {
  readonly application: string;
  readonly loginUrl: string | null;
  readonly logoutUrl: string | null;
  readonly returnParameter: string;
};

/** What a page needs to keep drafts; `docs/wire.md`. */
export type DraftStart = DraftGrant & { readonly texts: Record<string, string> | null };

/** Makes the answers of the wire from what the engine knows. */
@Injectable()
export class PingAnswer {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly tracker: ActivityTracker,
    private readonly references: SessionReferences,
    private readonly texts: ClientTexts,
    private readonly draftKeys: DraftKeys,
    private readonly clock: Clock,
    private readonly options: SessionSecurityOptions,
  ) {}

  async statusOf(request: SessionSecurityRequest): Promise<SessionStatus> {
    const { outcome, unreadId, sessionId = unreadId, ended } = this.enforcer.stateOf(request);
    if (outcome === 'ended') return this.#nobody('expired', ended?.reason ?? null);
    const known = sessionId === undefined ? undefined : await this.tracker.latest(sessionId);
    if (!known || sessionId === undefined) return this.#nobody('anonymous', null);
    const owner = this.ownerOf(sessionId);
    if (isExempt(known.limits)) return { ...this.#nobody('exempt', null), owner, redirectTo: null };

    const now = this.clock.now();
    const { phase, reason, warnAt, expireAt, lastActivityAt } = judge(known.limits, known, now);
    // Ended in this very instant; the next request finds it so.
    if (phase === 'expired') return this.#nobody('expired', reason);
    const { warnAfter, expireAfter, maxLifetime = null } = known.limits;
    return {
      state: phase,
      reason: phase === 'warning' ? reason : null,
      idleFor: (now - lastActivityAt) / 1000,
      warnIn: Math.max(0, warnAt - now) / 1000,
      expireIn: (expireAt - now) / 1000,
      lifetimeIn: maxLifetime === null ? null : (known.startedAt + maxLifetime * 1000 - now) / 1000,
      limits: { warnAfter, expireAfter, maxLifetime },
      owner,
      redirectTo: null,
    };
  }

  ownerOf(sessionId: string): string | null {
    const known = this.tracker.recall(sessionId);
    if (!known) return null;
    return this.references.ofOwner(known);
  }

  /** What keeping drafts needs; `null` for nobody, and for users without an id. */
  draftsOf(request: SessionSecurityRequest, pageLanguage?: unknown): DraftStart | null {
    const { outcome, sessionId } = this.enforcer.stateOf(request);
    if (outcome !== 'watched' || sessionId === undefined) return null;
    const userId = this.tracker.recall(sessionId)?.userId;
    if (userId === undefined) return null;
    return { ...this.draftKeys.grant(userId), texts: this.texts.for(request, 'drafts', pageLanguage) };
  }

  /** What the client needs to start, in the language of the page, else in the one that this request asks for. */
  clientStart(request: SessionSecurityRequest, pageLanguage?: unknown): ClientStart {
    const { path, loginUrl, logoutUrl, returnParameter, client } = this.options;
    return {
      application: path,
      loginUrl,
      logoutUrl,
      returnParameter,
      onExpire: client.onExpire ?? 'navigate',
      dismiss: client.dismiss ?? 'activity',
      escape: client.escape ?? 'stay',
      dialog: client.dialog ?? true,
      events: client.events ?? null,
      texts: this.texts.for(request, 'dialog', pageLanguage),
      language: client.language ?? null,
    };
  }

  #nobody(state: 'expired' | 'anonymous' | 'exempt', reason: EndReason | null): SessionStatus {
    const nothing = {
      idleFor: null,
      warnIn: null,
      expireIn: null,
      lifetimeIn: null,
      limits: null,
      owner: null,
    };
    return { state, reason, ...nothing, redirectTo: this.options.loginUrl };
  }
}
