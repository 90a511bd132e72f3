import { isExempt, judge, type Limits } from '../../../lib/policy/index.js';
import type { EndMode, EndReason } from '../../../lib/activity/activity-record.js';

/** More than this at once is not the passing of time, while the server's clock is behind. */
const LEAP_MS = 5000;

/** A record as the scripts keep it. */
export interface ModelRecord {
  startedAt: number;
  lastActivityAt: number;
  limits: Limits;
  readonly life: number;
  readonly userId?: string;
  warned: boolean;
}

/** What a script tells in the stream. */
export interface ModelEntry {
  readonly kind: 'start' | 'warn' | 'renew' | 'end' | 'moved';
  readonly id: string;
  readonly at: number;
  readonly lastActivityAt: number;
  readonly reason?: EndReason;
  readonly dueAt?: number;
  readonly keepsBlob?: true;
}

/** How a session stands that was settled. */
export interface ModelSettlement {
  readonly state: 'gone' | 'alive' | 'held' | 'warn' | 'expire';
  readonly told?: ModelEntry;
}

/** What a look at the shard finds. */
export interface ModelLook {
  readonly told: readonly ModelEntry[];
  readonly isMore: boolean;
  readonly held: boolean;
}

/**
 * One shard as the Lua scripts keep it, in memory and at any time that {@link nowAt} answers. It judges by the policy itself, so
 * comparing it with the scripts also compares their rules of time with ours.
 */
export class RedisModel {
  readonly records = new Map<string, ModelRecord>();
  readonly deadlines = new Map<string, number>();
  readonly tombstones = new Map<string, string>();
  readonly stream: ModelEntry[] = [];
  /**
   * The latest time that a look has seen, how far it was ahead of the server's own, and until when nobody ends for being
   * idle.
   */
  readonly clock = { mark: 0, ahead: 0, hold: 0 };

  constructor(private readonly slackMs: number) {}

  /** Time never goes back, whatever server's clock it is, and goes on by what that passes while it is behind. */
  nowAt(own: number): number {
    const { mark, ahead } = this.clock;
    if (own >= mark) return own;
    const now = own + ahead;
    return now >= mark && now <= mark + LEAP_MS ? now : mark;
  }

  start(id: string, given: Omit<ModelRecord, 'warned'>, silent: boolean, now: number): void {
    const lastActivityAt = Math.min(given.lastActivityAt, now);
    const existing = this.records.get(id);
    if (existing?.life === given.life) {
      existing.lastActivityAt = Math.max(existing.lastActivityAt, lastActivityAt);
      return;
    }
    const record = { ...given, lastActivityAt, warned: false };
    this.records.set(id, record);
    this.tombstones.delete(id);
    this.#file(id, this.#judge(record, now).dueAt);
    if (!silent) this.#tell('start', id, record, now);
  }

  /** Answers which of them do not exist or are over. */
  touch(updates: readonly { readonly id: string; readonly lastActivityAt: number }[], now: number): string[] {
    return updates
      .filter(({ id, lastActivityAt }) => {
        const record = this.records.get(id);
        if (!record || this.#judge(record, now).phase === 'expired') return true;
        record.lastActivityAt = Math.max(record.lastActivityAt, Math.min(lastActivityAt, now));
        if (record.warned && this.#judge(record, now, 0).phase === 'active') {
          record.warned = false;
          this.#file(id, this.#judge(record, now).dueAt);
          this.#tell('renew', id, record, now);
        }
        return false;
      })
      .map(({ id }) => id);
  }

  adjust(id: string, limits: Limits, startedAt: number, lastActivityAt: number, now: number): boolean {
    const record = this.records.get(id);
    if (!record) return false;
    record.lastActivityAt = Math.max(record.lastActivityAt, Math.min(lastActivityAt, now));
    Object.assign(record, { limits, startedAt });
    if (this.#judge(record, now, 0).phase === 'active') record.warned = false;
    this.#file(id, this.#judge(record, now).dueAt);
    return true;
  }

  /** Answers whether there was anything to end. */
  end(id: string, reason: EndReason, mode: EndMode, now: number): boolean {
    if (mode !== 'keep') this.tombstones.set(id, `${reason}/${now}`);
    this.deadlines.delete(id);
    const record = this.records.get(id);
    this.records.delete(id);
    if (!record) return false;
    const timedOut = !isExempt(record.limits) && (reason === 'idle' || reason === 'lifetime');
    const dueAt = timedOut ? this.#judge(record, now, 0).expireAt : now;
    this.#tell(mode === 'move' ? 'moved' : 'end', id, record, now, {
      reason,
      dueAt,
      ...(mode === 'keep' && { keepsBlob: true }),
    });
    return true;
  }

  /** Works off `limit` sessions at most. */
  look(limit: number, standstillMs: number, holdMs: number, now: number): ModelLook {
    if (now - this.clock.mark > standstillMs) this.clock.hold = now + holdMs;
    this.clock.mark = now;
    const settled = [...this.deadlines]
      .filter(([, at]) => at <= now)
      .sort(([one, first], [other, second]) => first - second || (one < other ? -1 : 1))
      .slice(0, limit)
      .map(([id]) => this.settle(id, now));
    return {
      told: settled.flatMap(({ told }) => told ?? []),
      isMore: settled.length === limit && settled.some(({ state }) => state !== 'held'),
      held: this.clock.hold > now,
    };
  }

  settle(id: string, now: number): ModelSettlement {
    const record = this.records.get(id);
    if (!record) {
      this.deadlines.delete(id);
      return { state: 'gone' };
    }
    const { phase, reason, warnAt, expireAt, dueAt } = this.#judge(record, now);
    if (phase === 'expired' && reason === 'idle' && now < this.clock.hold) {
      this.#file(id, this.clock.hold);
      return { state: 'held' };
    }
    if (phase === 'expired') {
      this.records.delete(id);
      this.deadlines.delete(id);
      this.tombstones.set(id, `${reason}/${now}`);
      return { state: 'expire', told: this.#tell('end', id, record, now, { reason, dueAt: expireAt }) };
    }
    if (phase === 'warning' && !record.warned) {
      record.warned = true;
      this.#file(id, this.#judge(record, now).dueAt);
      return { state: 'warn', told: this.#tell('warn', id, record, now, { reason, dueAt: warnAt }) };
    }
    this.#file(id, dueAt);
    return { state: 'alive' };
  }

  /** The policy's verdict, with what a process that died may have known of allowed for in idle deadlines. */
  #judge(record: ModelRecord, now: number, slackMs = this.slackMs) {
    const { limits, warned } = record;
    const verdict = judge(limits, record, now);
    if (isExempt(limits)) return { ...verdict, dueAt: Infinity };
    const lifetimeEnd =
      limits.maxLifetime == null ? Infinity : Math.min(record.startedAt, now) + limits.maxLifetime * 1000;
    const endAt = Math.min(verdict.lastActivityAt + limits.expireAfter * 1000 + slackMs, lifetimeEnd);
    const warnedAt = verdict.warnAt + slackMs;
    const phase = now >= endAt ? 'expired' : now >= warnedAt ? 'warning' : 'active';
    return { ...verdict, phase, dueAt: warned || warnedAt >= endAt ? endAt : warnedAt };
  }

  #file(id: string, at: number): void {
    if (at < Infinity) this.deadlines.set(id, Math.ceil(at));
    else this.deadlines.delete(id);
  }

  #tell(
    kind: ModelEntry['kind'],
    id: string,
    { lastActivityAt }: ModelRecord,
    at: number,
    more: Pick<ModelEntry, 'reason' | 'dueAt' | 'keepsBlob'> = {},
  ): ModelEntry {
    const entry = { kind, id, at, lastActivityAt, ...more };
    this.stream.push(entry);
    return entry;
  }
}
