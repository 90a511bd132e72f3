import { judge, type Limits, type Verdict } from '../policy/index.js';
import { DeadlineWheel } from './deadline-wheel.js';
import { DevicePool } from './device-pool.js';
import { LimitsPool } from './limits-pool.js';
import { Flag, SessionTable } from './session-table.js';
import { SlotIndex } from './slot-index.js';
import { NONE } from './slot-lists.js';

/** A watched session as this process remembers it. Instants in epoch milliseconds. */
export interface WatchedSession {
  readonly life: number;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  /** How much of last activity is only allowed for. */
  readonly allowanceMs?: number;
  readonly limits: Limits;
  readonly userId?: string;
  readonly device?: string;
}

/** A session whose next boundary has come. */
export interface DueSession {
  readonly sessionId: string;
  readonly verdict: Verdict;
}

/**
 * All watched sessions of this process: an index from session id to slot, and a table of numbers by slot. A session
 * costs about 90 bytes beside the id strings, where an object per session costs several hundred, and the garbage
 * collector has nothing to walk. The hot path is one look-up and one number.
 *
 * What is remembered is a lower bound of the truth: last activity only grows, and other processes may know of later
 * activity. So "alive by memory" is certain; "expired by memory" must be confirmed with the store.
 */
export class WatchedSessions {
  readonly #table = new SessionTable();
  readonly #slots = new SlotIndex((slot) => this.#table.sessionId(slot));
  readonly #users = new SlotIndex((slot) => this.#table.userId(slot));
  readonly #wheel: DeadlineWheel;
  readonly #limits = new LimitsPool();
  readonly #devices = new DevicePool();
  /** Slots that have been given back. */
  readonly #free: number[] = [];
  /** Slots that have ever been in use: those below this number. */
  #used = 0;
  /** Slots with activity that is to be written, and those of them whose turn it is. */
  #dirty: number[] = [];
  #taken: number[] = [];

  constructor(now: number) {
    this.#wheel = new DeadlineWheel(now);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** How many different limits are in force. */
  get limitsInForce(): number {
    return this.#limits.size;
  }

  has(sessionId: string): boolean {
    return this.#slots.find(sessionId) !== NONE;
  }

  get(sessionId: string): WatchedSession | undefined {
    const slot = this.#slots.find(sessionId);
    return slot === NONE ? undefined : this.#row(slot);
  }

  /** The number of the session's life; `undefined` if it is not watched here. */
  lifeOf(sessionId: string): number | undefined {
    const slot = this.#slots.find(sessionId);
    return slot === NONE ? undefined : this.#table.life(slot);
  }

  /** Certain to be alive, by this process's memory; in that life, if one is given. */
  lives(sessionId: string, now: number, life?: number): boolean {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE || (life !== undefined && this.#table.life(slot) !== life)) return false;
    return this.#judge(slot, now).phase !== 'expired';
  }

  /** Where the session stands by this process's memory; `undefined` if it is not watched here. */
  verdict(sessionId: string, now: number): Verdict | undefined {
    const slot = this.#slots.find(sessionId);
    return slot === NONE ? undefined : this.#judge(slot, now);
  }

  /** Watches a session that is stored so, or replaces what was known of it. */
  put(sessionId: string, session: WatchedSession, now: number): void {
    this.remove(sessionId);
    const slot = this.#allocate();
    const table = this.#table;
    table.setIds(slot, sessionId, session.userId);
    table.setLife(slot, session.life);
    // Stored stamps may lie in the future; until then the lifetime would not count, and activity would go on.
    table.setStartedAt(slot, Math.min(session.startedAt, now));
    const lastActivityAt = Math.min(session.lastActivityAt, now);
    table.setLastActivityAt(slot, lastActivityAt);
    const seenAt = Math.min(session.lastActivityAt - (session.allowanceMs ?? 0), now);
    table.setSeenAt(slot, seenAt);
    table.setWrittenAt(slot, seenAt);
    table.setLimits(slot, this.#limits.take(session.limits));
    table.setDevice(slot, this.#devices.index(session.device));
    this.#slots.add(sessionId, slot);
    if (session.userId !== undefined) this.#users.add(session.userId, slot);
    this.#file(slot, now);
  }

  /**
   * Counts activity at `at`; never moves back, never revives.
   *
   * @param overdueAfterMs how much later last activity may be than what the store knows of
   */
  touch(sessionId: string, at: number, now: number, overdueAfterMs = Infinity): Touch {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return STILL;
    if (this.#judge(slot, now).phase === 'expired') return STILL;
    const table = this.#table;
    const moved = at > table.seenAt(slot);
    if (moved) {
      table.setSeenAt(slot, at);
      if (at > table.lastActivityAt(slot)) table.setLastActivityAt(slot, at);
      this.#soil(slot);
    }
    const overdue = table.seenAt(slot) - table.writtenAt(slot) >= overdueAfterMs;
    const renewed = moved && this.#callOff(slot, now);
    if (renewed) {
      // A warned session waits for its end in the wheel; its next warning may come sooner than that.
      this.#file(slot, now);
      return { moved, renewed, overdue };
    }
    if (moved) return overdue ? MOVED_OVERDUE : MOVED;
    return overdue ? STILL_OVERDUE : STILL;
  }

  /**
   * Takes over later activity that another process told the store; it is stored already, so it is not written again.
   * A stamp in the future says nothing.
   */
  learn(
    sessionId: string,
    { lastActivityAt, allowanceMs = 0 }: Pick<WatchedSession, 'lastActivityAt' | 'allowanceMs'>,
    now: number,
  ): void {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE || lastActivityAt > now) return;
    const table = this.#table;
    const stored = lastActivityAt - allowanceMs;
    table.setLastActivityAt(slot, Math.max(table.lastActivityAt(slot), lastActivityAt));
    table.setSeenAt(slot, Math.max(table.seenAt(slot), stored));
    table.setWrittenAt(slot, Math.max(table.writtenAt(slot), stored));
  }

  /** Puts other limits in force, at once. */
  setLimits(sessionId: string, limits: Limits, now: number): LimitsChange {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return UNCHANGED;
    const before = this.#table.limits(slot);
    const index = this.#limits.take(limits);
    this.#limits.giveBack(before);
    if (before === index) return UNCHANGED;
    this.#table.setLimits(slot, index);
    const renewed = this.#callOff(slot, now);
    this.#file(slot, now);
    return { changed: true, renewed };
  }

  remove(sessionId: string): WatchedSession | undefined {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return undefined;
    const session = this.#row(slot);
    this.#slots.remove(slot);
    this.#wheel.unfile(slot);
    if (session.userId !== undefined) this.#users.remove(slot);
    this.#table.setIds(slot, undefined, undefined);
    this.#table.unset(slot, Flag.Dirty);
    this.#table.unset(slot, Flag.Warned);
    this.#limits.giveBack(this.#table.limits(slot));
    this.#free.push(slot);
    return session;
  }

  /** Restarts both clocks of a session: its user has signed in anew. Answers whether a warning is called off by that. */
  restart(sessionId: string, now: number): boolean {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return false;
    this.#table.setStartedAt(slot, now);
    this.#table.setLastActivityAt(slot, now);
    this.#table.setSeenAt(slot, now);
    const renewed = this.#callOff(slot, now);
    this.#file(slot, now);
    return renewed;
  }

  /** Files a session again for the next second: its end could not be confirmed yet. */
  postpone(sessionId: string, now: number): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#wheel.file(slot, now + 1000);
  }

  /**
   * The next sessions whose warning or end is due, at most `limit` of them and at most `visits` looked at, so that no
   * slice blocks the event loop. A warning is handed out once per idle period. Sessions handed out as `expired` are not
   * filed any more: the caller ends or {@link postpone}s them. `more` says that this second is not worked off yet.
   */
  due(now: number, limit: number, visits = limit * 8): { due: DueSession[]; more: boolean } {
    const due: DueSession[] = [];
    for (let visit = 0; visit < visits && due.length < limit; visit++) {
      const slot = this.#wheel.take(now);
      if (slot === NONE) return { due, more: false };
      const verdict = this.#judge(slot, now);
      if (verdict.phase === 'expired') {
        due.push({ sessionId: this.#table.sessionId(slot)!, verdict });
        continue;
      }
      if (verdict.phase === 'warning' && !this.#table.has(slot, Flag.Warned)) {
        this.#table.set(slot, Flag.Warned);
        due.push({ sessionId: this.#table.sessionId(slot)!, verdict });
      }
      this.#file(slot, now);
    }
    return { due, more: true };
  }

  /** A session's activity is being written out of turn. */
  clearDirty(sessionId: string): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#table.unset(slot, Flag.Dirty);
  }

  /** Remembers that the store knows of activity at `at`. */
  noteWritten(sessionId: string, at: number): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#table.setWrittenAt(slot, at);
  }

  /** How many sessions {@link takeDirty} has at most. */
  get dirtyCount(): number {
    return this.#dirty.length + this.#taken.length;
  }

  /** Sessions whose last activity moved since they were taken last, `limit` of them at most, and forgets that it did. */
  takeDirty(limit = Infinity): string[] {
    const dirty: string[] = [];
    while (dirty.length < limit) {
      // Who has waited is taken before who comes meanwhile.
      if (this.#taken.length === 0) [this.#taken, this.#dirty] = [this.#dirty, this.#taken];
      const slot = this.#taken.pop();
      if (slot === undefined) break;
      const sessionId = this.#table.sessionId(slot);
      if (sessionId === undefined || !this.#table.has(slot, Flag.Dirty)) continue;
      this.#table.unset(slot, Flag.Dirty);
      dirty.push(sessionId);
    }
    return dirty;
  }

  /** Marks a session whose activity could not be written. */
  markDirty(sessionId: string): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#soil(slot);
  }

  sessionIds(): Iterable<string> {
    return this.#table.sessionIds();
  }

  /** The watched sessions of one user. */
  sessionIdsOf(userId: string): string[] {
    return this.#users.findAll(userId).map((slot) => this.#table.sessionId(slot)!);
  }

  #row(slot: number): WatchedSession {
    const userId = this.#table.userId(slot);
    const device = this.#devices.at(this.#table.device(slot));
    const session: { -readonly [Name in keyof WatchedSession]: WatchedSession[Name] } = {
      life: this.#table.life(slot),
      startedAt: this.#table.startedAt(slot),
      lastActivityAt: this.#table.lastActivityAt(slot),
      limits: this.#limits.at(this.#table.limits(slot)),
    };
    const allowanceMs = session.lastActivityAt - this.#table.seenAt(slot);
    if (allowanceMs > 0) session.allowanceMs = allowanceMs;
    if (userId !== undefined) session.userId = userId;
    if (device !== undefined) session.device = device;
    return session;
  }

  #judge(slot: number, now: number): Verdict {
    const table = this.#table;
    const timeline = { startedAt: table.startedAt(slot), lastActivityAt: table.lastActivityAt(slot) };
    return judge(this.#limits.at(table.limits(slot)), timeline, now);
  }

  /** Forgets that a session was warned, if it is far from its end again; answers whether it had been. */
  #callOff(slot: number, now: number): boolean {
    if (!this.#table.has(slot, Flag.Warned) || this.#judge(slot, now).phase !== 'active') return false;
    this.#table.unset(slot, Flag.Warned);
    return true;
  }

  #file(slot: number, now: number): void {
    const { warnAt, expireAt } = this.#judge(slot, now);
    this.#wheel.file(slot, this.#table.has(slot, Flag.Warned) ? expireAt : warnAt);
  }

  /** Its activity is to be written. */
  #soil(slot: number): void {
    if (this.#table.has(slot, Flag.Dirty)) return;
    this.#table.set(slot, Flag.Dirty);
    this.#dirty.push(slot);
  }

  #allocate(): number {
    const freed = this.#free.pop();
    if (freed !== undefined) return freed;
    if (this.#used === this.#table.capacity) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    this.#table.grow();
    const { capacity } = this.#table;
    this.#wheel.resize(capacity);
    this.#slots.reserve(capacity);
    this.#users.reserve(capacity);
  }
}

/** What came of a touch. */
export interface Touch {
  /** Last activity is later than before. */
  readonly moved: boolean;
  /** It also calls off a warning that had been given. */
  readonly renewed: boolean;
  /** What the store knows of is so old that activity is to be written now. */
  readonly overdue: boolean;
}

/** What came of other limits. */
export interface LimitsChange {
  /** They differ from those before. */
  readonly changed: boolean;
  /** They call off a warning that had been given. */
  readonly renewed: boolean;
}

const UNCHANGED: LimitsChange = Object.freeze({ changed: false, renewed: false });
const STILL: Touch = Object.freeze({ moved: false, renewed: false, overdue: false });
const STILL_OVERDUE: Touch = Object.freeze({ moved: false, renewed: false, overdue: true });
const MOVED: Touch = Object.freeze({ moved: true, renewed: false, overdue: false });
const MOVED_OVERDUE: Touch = Object.freeze({ moved: true, renewed: false, overdue: true });
