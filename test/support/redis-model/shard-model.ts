import { isExempt, judge, type Limits } from '../../../lib/policy/index.js';
import type { EndMode, EndReason } from '../../../lib/activity/activity-record.js';
import { storedRecord } from '../../../lib/redis/stored-record.js';
import { type KeptEntry, StreamModel } from './stream-model.js';

/** More than this at once is not the passing of time, while the server's clock is behind. */
const LEAP_MS = 5000;

/** Without a look for so long, Redis or all processes stood still… */
const STANDSTILL_MS = 2500;
/** …and for so long nobody is ended for being idle. */
const HOLD_MS = 2000;

/** What goes on from another id is kept for so long if nobody touches it. */
const PROVISIONAL_MS = 300_000;

/** A record as the scripts keep it. */
export interface ModelRecord {
  startedAt: number;
  lastActivityAt: number;
  limits: Limits;
  readonly life: number;
  readonly userId?: string;
  warned: boolean;
  /** It goes on from another id, and has not been touched yet. */
  provisional: boolean;
  /** What of its text never changes, from the first bar on. */
  constants: string;
}

/** What a script tells in the stream. */
export interface ModelEntry extends KeptEntry {
  readonly kind: 'start' | 'warn' | 'renew' | 'end' | 'moved';
  readonly id: string;
  readonly at: number;
  readonly reason?: EndReason;
  readonly record: Readonly<ModelRecord>;
}

/** How a session stands that was settled. */
export interface ModelSettlement {
  readonly state: 'gone' | 'alive' | 'held' | 'warn' | 'expire';
  readonly told?: KeptEntry;
}

/** What a look at the shard finds. */
export interface ModelLook {
  /** Ids of entries. */
  readonly told: readonly string[];
  readonly worked: number;
  readonly isMore: boolean;
}

/**
 * One shard as the Lua scripts keep it, in memory and at any time that {@link nowAt} answers. It judges by the policy
 * itself, so comparing it with the scripts also compares their rules of time with ours.
 */
export class ShardModel {
  readonly records = new Map<string, ModelRecord>();
  readonly deadlines = new Map<string, number>();
  readonly tombstones = new Map<string, string>();
  readonly stream: StreamModel<ModelEntry>;
  /**
   * The latest time that a look has seen, how far it was ahead of the server's own, and until when nobody ends for being
   * idle.
   */
  readonly clock = { mark: 0, ahead: 0, hold: 0 };

  /** @param own what the server's own clock shows */
  constructor(private readonly own: () => number) {
    this.stream = new StreamModel(own);
  }

  now(): number {
    return this.nowAt(this.own());
  }

  /** Time never goes back, whatever server's clock it is, and goes on by what that passes while it is behind. */
  nowAt(own: number): number {
    const { mark, ahead } = this.clock;
    if (own >= mark) return own;
    const now = own + ahead;
    return now >= mark && now <= mark + LEAP_MS ? now : mark;
  }

  /** What lies under the session's key. */
  textOf(id: string): string | null {
    const record = this.records.get(id);
    return record ? textOf(record) : (this.tombstones.get(id) ?? null);
  }

  /** Answers whether it has begun; not if it has ended since. */
  start(id: string, givenAt: number, constants: string, slackMs: number, silent: boolean): boolean {
    const now = this.now();
    const record = recordIn(id, `${digits(Math.min(givenAt, now))}-${constants}`)!;
    const existing = this.records.get(id);
    if (existing?.life === record.life) {
      existing.provisional &&= record.lastActivityAt <= existing.lastActivityAt;
      existing.lastActivityAt = Math.max(existing.lastActivityAt, record.lastActivityAt);
      return true;
    }
    const endedAt = Number(this.tombstones.get(id)?.split('/')[1] ?? NaN);
    if (!silent && record.startedAt < endedAt && endedAt <= now) return false;
    record.provisional = silent;
    this.records.set(id, record);
    this.tombstones.delete(id);
    this.#file(
      id,
      Math.min(this.#judge(record, now, slackMs).dueAt, silent ? now + PROVISIONAL_MS : Infinity),
    );
    if (!silent) this.#tell('start', id, record, now);
    return true;
  }

  /** Answers whether the record exists, in this life if one is given, and is not over. */
  touch(id: string, at: number, life: string, slackMs: number): boolean {
    const [record, now] = [this.records.get(id), this.now()];
    if (!record || (life !== '' && String(record.life) !== life)) return false;
    const later = { ...record, lastActivityAt: Math.min(Math.max(record.lastActivityAt, at), now) };
    // While ends are held, what processes remember counts.
    const judged = now < this.#hold(now) ? later : record;
    if (this.#judge(judged, now, slackMs).phase === 'expired') return false;
    record.lastActivityAt = later.lastActivityAt;
    record.provisional = false;
    if (record.warned && this.#judge(record, now, 0).phase === 'active') {
      record.warned = false;
      this.#file(id, this.#judge(record, now, slackMs).dueAt);
      this.#tell('renew', id, record, now);
    }
    return true;
  }

  /** Answers whether there is a record. */
  adjust(id: string, limits: string, slackMs: number, startedAt: number, lastActivityAt: number): boolean {
    const [known, now] = [this.records.get(id), this.now()];
    if (!known) return false;
    const [, , , ...rest] = known.constants.split('|');
    const constants = ['', startedAt, limits, ...rest].join('|');
    const at = Math.min(Math.max(known.lastActivityAt, lastActivityAt), now);
    const record = recordIn(id, `${digits(at)}-${constants}`)!;
    const isRenewed = known.warned && this.#judge(record, now, 0).phase === 'active';
    record.warned = known.warned && !isRenewed;
    this.records.set(id, record);
    if (isRenewed) this.#tell('renew', id, record, now);
    this.#file(id, this.#judge(record, now, slackMs).dueAt);
    return true;
  }

  /** Answers the record, if there was one. */
  /** Answers the record, if there was one, and otherwise with which it goes on. */
  end(id: string, reason: EndReason, mode: EndMode): [string | null, string | null] {
    const [record, now] = [this.records.get(id), this.now()];
    const successor = this.#successorOf(id);
    const isFree =
      !this.tombstones.has(id) || (successor !== null && /^replaced/.test(this.tombstones.get(id)!));
    if (mode !== 'keep' && isFree)
      this.tombstones.set(id, `${reason}/${now}${successor === null ? '' : `/${successor}`}`);
    this.deadlines.delete(id);
    this.records.delete(id);
    if (!record) return [null, successor];
    const timedOut = !isExempt(record.limits) && (reason === 'idle' || reason === 'lifetime');
    const dueAt = timedOut ? this.#judge(record, now, 0).expireAt : now;
    this.#tell('end', id, record, now, reason, dueAt, mode === 'keep');
    return [textOf(record), null];
  }

  /** Answers with which record the session goes on. */
  move(id: string, successor: string): string | null {
    const [record, now] = [this.records.get(id), this.now()];
    if (!record) return this.#successorOf(id);
    this.tombstones.set(id, `replaced/${now}${successor === '' ? '' : `/${successor}`}`);
    this.deadlines.delete(id);
    this.records.delete(id);
    this.#keep('moved', id, record, now, `${successor}||`);
    return successor;
  }

  #successorOf(id: string): string | null {
    return this.tombstones.get(id)?.split('/')[2] ?? null;
  }

  /** Carries the clock forward. */
  see(): void {
    const [own, now] = [this.own(), this.now()];
    this.clock.hold = this.#hold(now);
    this.clock.mark = now;
    this.clock.ahead = now - own;
  }

  /** Works off `limit` sessions at most. */
  work(limit: number, slackMs: number): ModelLook {
    const now = this.now();
    const settled = [...this.deadlines]
      .filter(([, at]) => at <= now)
      .sort(([one, first], [other, second]) => first - second || (one < other ? -1 : 1))
      .slice(0, limit)
      .map(([id]) => this.#clearAway(id) ?? this.settle(id, slackMs));
    return {
      told: settled.flatMap(({ told }) => told?.entryId ?? []),
      worked: settled.length,
      isMore: settled.length === limit && settled.some(({ state }) => state !== 'held'),
    };
  }

  /** What nobody has said to go on, and nobody has asked for. */
  #clearAway(id: string): ModelSettlement | undefined {
    const [record, now] = [this.records.get(id), this.now()];
    if (!record?.provisional) return undefined;
    const hold = this.#hold(now);
    if (now < hold) {
      this.#file(id, hold);
      return { state: 'held' };
    }
    this.records.delete(id);
    this.deadlines.delete(id);
    this.tombstones.set(id, `replaced/${now}`);
    this.#keep('moved', id, record, now, '||');
    return { state: 'gone' };
  }

  settle(id: string, slackMs: number): ModelSettlement {
    const [record, now] = [this.records.get(id), this.now()];
    if (!record) {
      this.deadlines.delete(id);
      return { state: 'gone' };
    }
    record.provisional = false;
    record.lastActivityAt = Math.min(record.lastActivityAt, now);
    const { phase, reason, warnAt, expireAt, dueAt } = this.#judge(record, now, slackMs);
    const hold = this.#hold(now);
    if (phase === 'expired' && reason === 'idle' && now < hold) {
      this.#file(id, hold);
      return { state: 'held' };
    }
    if (phase === 'expired') {
      this.records.delete(id);
      this.deadlines.delete(id);
      this.tombstones.set(id, `${reason}/${now}`);
      return { state: 'expire', told: this.#tell('end', id, record, now, reason, expireAt) };
    }
    if (phase === 'warning' && !record.warned) {
      record.warned = true;
      this.#file(id, this.#judge(record, now, slackMs).dueAt);
      return { state: 'warn', told: this.#tell('warn', id, record, now, reason, warnAt) };
    }
    this.#file(id, dueAt);
    return { state: 'alive' };
  }

  /** The policy's verdict, with what a process that died may have known of allowed for in idle deadlines. */
  #judge(record: ModelRecord, now: number, slackMs: number) {
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

  #hold(now: number): number {
    const { mark, hold } = this.clock;
    if (now - mark > STANDSTILL_MS) return now + HOLD_MS;
    return hold <= now + HOLD_MS ? hold : 0;
  }

  #file(id: string, at: number): void {
    if (at < Infinity) this.deadlines.set(id, Math.ceil(at));
    else this.deadlines.delete(id);
  }

  #tell(
    kind: ModelEntry['kind'],
    id: string,
    record: ModelRecord,
    at: number,
    reason?: EndReason,
    dueAt?: number,
    keepsBlob = false,
  ): KeptEntry {
    const why = [reason ?? '', dueAt ?? '', keepsBlob ? '1' : ''].join('|');
    return this.#keep(kind, id, record, at, why, reason);
  }

  #keep(
    kind: ModelEntry['kind'],
    id: string,
    record: ModelRecord,
    at: number,
    why: string,
    reason?: EndReason,
  ): KeptEntry {
    const told = { entryId: this.stream.nextId(), text: [kind, id, at, why, textOf(record)].join('|') };
    const more = { kind, id, at, record: { ...record }, ...(reason !== undefined && { reason }) };
    this.stream.entries.push({ ...told, ...more });
    return told;
  }
}

function textOf({ lastActivityAt, warned, provisional, constants }: ModelRecord): string {
  return `${digits(lastActivityAt)}${warned ? 'w' : provisional ? 'p' : '-'}${constants}`;
}

function digits(instant: number): string {
  return String(instant).padStart(13, '0');
}

function recordIn(id: string, text: string): ModelRecord | undefined {
  const record = storedRecord(id, text)?.record;
  if (!record) return undefined;
  const { startedAt, lastActivityAt, limits, life, userId } = record;
  return {
    startedAt,
    lastActivityAt,
    limits,
    life,
    ...(userId !== undefined && { userId }),
    warned: false,
    provisional: false,
    constants: text.slice(14),
  };
}
