import type { EndReason } from './activity-record.js';
import type { Clock } from './clock.js';
import type { Revocations } from './revocations.js';
import type { Rotations } from './rotations.js';
import type { SessionReferences } from './session-reference.js';
import type { SharedActivityStore } from './shared-activity-store.js';
import type { Tombstones } from './tombstones.js';

/** The end of a session that somebody wanted: its user, or the application. */
export interface Withdrawal {
  /** `null`: ended, but why is not known. */
  readonly reason: EndReason | null;
  /** Whose session it was, if that is known. */
  readonly userId?: string | undefined;
}

/**
 * Which sessions were ended because somebody wanted it, and neither by the passing of time nor by another sign-in. What
 * was under way in such a session must not begin another one for its user.
 */
export class Withdrawals {
  constructor(
    private readonly shared: SharedActivityStore | undefined,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly tombstones: Tombstones,
    private readonly rotations: Rotations,
    private readonly revocations: Revocations,
  ) {}

  /** What has ended this life of a session id, under whichever id it went on, as far as this process knows. */
  of(sessionId: string, life: number): Withdrawal | undefined {
    const known = this.rotations.find(sessionId);
    // The sessions of a user are ended one after the other, and this one's turn may not have come yet.
    const isWatched = known?.life === life;
    const revocation = isWatched ? this.revocations.of({ id: '', ...known }, this.clock.now()) : undefined;
    return revocation ? { reason: revocation.reason, userId: known?.userId } : this.#endOf(sessionId, life);
  }

  /** As {@link of}, also by other processes. Where the store cannot tell, it is taken for ended. */
  async find(sessionId: string, life: number): Promise<Withdrawal | undefined> {
    const known = this.of(sessionId, life);
    if (!this.shared || (known && known.reason !== null)) return known;
    const userId = known?.userId ?? this.rotations.find(sessionId)?.userId;
    const reason = await this.#reasonIn(this.shared, this.rotations.lineageOf(sessionId)).catch(() => null);
    return reason === undefined ? undefined : { reason, userId };
  }

  #endOf(sessionId: string, life: number): Withdrawal | undefined {
    const lineage = this.rotations.lineageOf(sessionId);
    const leavings = lineage.flatMap((id) => this.tombstones.leavingOf(id) ?? []);
    const left = leavings.find((leaving) => leaving.life === life && isWanted(leaving.reason));
    const graves = lineage.flatMap((id) => this.tombstones.find(id) ?? []);
    // Somebody else may have signed in under the id since, and out again.
    const own = graves.filter((grave) => grave.life === undefined || grave.life === life);
    // An id that was given up for another is no end.
    return left ?? own.find(({ reason, rotation }) => isWanted(reason) && (reason !== null || !rotation));
  }

  /** @returns `undefined` if the session lives, or has ended by itself or by another sign-in */
  async #reasonIn(
    shared: SharedActivityStore,
    sessionIds: readonly string[],
  ): Promise<EndReason | null | undefined> {
    const ids = sessionIds.map((sessionId) => this.references.ofSession(sessionId));
    const reasons = (await Promise.all(ids.map((id) => shared.grave(id)))).map((grave) => grave?.reason);
    const wanted = reasons.find((reason) => reason !== undefined && isWanted(reason));
    if (wanted !== undefined || reasons.some((reason) => reason !== undefined)) return wanted;
    // Whoever signs out and leaves the session id in use leaves no grave.
    const records = await Promise.all(ids.map((id) => shared.find(id)));
    return records.some(Boolean) ? undefined : null;
  }
}

/** What is not known may have been wanted. */
function isWanted(reason: EndReason | null): boolean {
  return reason === null || reason === 'logout' || reason === 'revoked';
}
