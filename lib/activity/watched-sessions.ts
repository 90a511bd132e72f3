import { judge, type Limits, type Verdict } from '../policy/index.js';
import { DeadlineWheel } from './deadline-wheel.js';
import { DevicePool } from './device-pool.js';
import { LimitsPool } from './limits-pool.js';
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

const enum Flag {
  Dirty = 1,
  Warned = 2,
}

const PAGE_BITS = 12;
const PAGE_ROWS = 1 << PAGE_BITS;

/** A piece of the table in columns. The table grows by whole pages, so it copies nothing and keeps nobody waiting. */
class Page {
  readonly sessionIds = new Array<string | undefined>(PAGE_ROWS).fill(undefined);
  readonly userIds = new Array<string | undefined>(PAGE_ROWS).fill(undefined);
  readonly lastActivityAt = new Float64Array(PAGE_ROWS);
  readonly startedAt = new Float64Array(PAGE_ROWS);
  readonly lives = new Uint32Array(PAGE_ROWS);
  readonly limits = new Uint32Array(PAGE_ROWS);
  readonly devices = new Uint8Array(PAGE_ROWS);
  readonly flags = new Uint8Array(PAGE_ROWS);
  /** The last activity that has been seen; `lastActivityAt` may allow for later. */
  readonly seenAt = new Float64Array(PAGE_ROWS);
  /** The last activity that the store knows of. */
  readonly writtenAt = new Float64Array(PAGE_ROWS);
}

/**
 * All watched sessions of this process, in columns: an index from session id to slot, and typed arrays by slot. A row
 * costs about 83 bytes beside the id strings, where an object per session costs several hundred, and the garbage
 * collector has nothing to walk. The hot path is one look-up and one number.
 *
 * What is remembered is a lower bound of the truth: last activity only grows, and other processes may know of later
 * activity. So "alive by memory" is certain; "expired by memory" must be confirmed with the store.
 */
export class WatchedSessions {
  readonly #pages: Page[] = [];
  readonly #slots = new SlotIndex((slot) => this.#page(slot).sessionIds[rowOf(slot)]);
  readonly #users = new SlotIndex((slot) => this.#page(slot).userIds[rowOf(slot)]);
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
    return slot === NONE ? undefined : this.#page(slot).lives[rowOf(slot)];
  }

  /** Certain to be alive, by this process's memory; in that life, if one is given. */
  lives(sessionId: string, now: number, life?: number): boolean {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE || (life !== undefined && this.#page(slot).lives[rowOf(slot)] !== life)) return false;
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
    const page = this.#page(slot);
    const row = rowOf(slot);
    page.sessionIds[row] = sessionId;
    page.userIds[row] = session.userId;
    page.lives[row] = session.life;
    page.startedAt[row] = session.startedAt;
    // A stored stamp may lie in the future; it must not go on counting as activity until then.
    page.lastActivityAt[row] = Math.min(session.lastActivityAt, now);
    page.seenAt[row] = Math.min(session.lastActivityAt - (session.allowanceMs ?? 0), now);
    page.writtenAt[row] = page.seenAt[row]!;
    page.limits[row] = this.#limits.take(session.limits);
    page.devices[row] = this.#devices.index(session.device);
    page.flags[row] = 0;
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
    const page = this.#page(slot);
    const row = rowOf(slot);
    if (this.#judge(slot, now).phase === 'expired') return STILL;
    const moved = at > page.seenAt[row]!;
    if (moved) {
      page.seenAt[row] = at;
      if (at > page.lastActivityAt[row]!) page.lastActivityAt[row] = at;
      this.#soil(slot, page, row);
    }
    const overdue = page.seenAt[row]! - page.writtenAt[row]! >= overdueAfterMs;
    const renewed =
      moved && (page.flags[row]! & Flag.Warned) !== 0 && this.#judge(slot, now).phase === 'active';
    if (renewed) {
      page.flags[row]! &= ~Flag.Warned;
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
    const page = this.#page(slot);
    const row = rowOf(slot);
    const stored = lastActivityAt - allowanceMs;
    page.lastActivityAt[row] = Math.max(page.lastActivityAt[row]!, lastActivityAt);
    page.seenAt[row] = Math.max(page.seenAt[row]!, stored);
    page.writtenAt[row] = Math.max(page.writtenAt[row]!, stored);
  }

  /** Puts other limits in force, at once; answers whether they differ from those before. */
  setLimits(sessionId: string, limits: Limits, now: number): boolean {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return false;
    const page = this.#page(slot);
    const row = rowOf(slot);
    const before = page.limits[row]!;
    const index = this.#limits.take(limits);
    this.#limits.giveBack(before);
    if (before === index) return false;
    page.limits[row] = index;
    if (this.#judge(slot, now).phase === 'active') page.flags[row]! &= ~Flag.Warned;
    this.#file(slot, now);
    return true;
  }

  remove(sessionId: string): WatchedSession | undefined {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return undefined;
    const session = this.#row(slot);
    this.#slots.remove(slot);
    this.#wheel.unfile(slot);
    if (session.userId !== undefined) this.#users.remove(slot);
    const page = this.#page(slot);
    const row = rowOf(slot);
    page.sessionIds[row] = undefined;
    page.userIds[row] = undefined;
    page.flags[row] = 0;
    this.#limits.giveBack(page.limits[row]!);
    this.#free.push(slot);
    return session;
  }

  /** Restarts both clocks of a session: its user has signed in anew. */
  restart(sessionId: string, now: number): void {
    const slot = this.#slots.find(sessionId);
    if (slot === NONE) return;
    const page = this.#page(slot);
    const row = rowOf(slot);
    page.startedAt[row] = now;
    page.lastActivityAt[row] = now;
    page.seenAt[row] = now;
    page.flags[row]! &= ~Flag.Warned;
    this.#file(slot, now);
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
      const page = this.#page(slot);
      const row = rowOf(slot);
      const verdict = this.#judge(slot, now);
      if (verdict.phase === 'expired') {
        due.push({ sessionId: page.sessionIds[row]!, verdict });
        continue;
      }
      if (verdict.phase === 'warning' && !(page.flags[row]! & Flag.Warned)) {
        page.flags[row]! |= Flag.Warned;
        due.push({ sessionId: page.sessionIds[row]!, verdict });
      }
      this.#file(slot, now);
    }
    return { due, more: true };
  }

  /** A session's activity is being written out of turn. */
  clearDirty(sessionId: string): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#page(slot).flags[rowOf(slot)]! &= ~Flag.Dirty;
  }

  /** Remembers that the store knows of activity at `at`. */
  noteWritten(sessionId: string, at: number): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#page(slot).writtenAt[rowOf(slot)] = at;
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
      const page = this.#page(slot);
      const row = rowOf(slot);
      const sessionId = page.sessionIds[row];
      if (sessionId === undefined || !(page.flags[row]! & Flag.Dirty)) continue;
      page.flags[row]! &= ~Flag.Dirty;
      dirty.push(sessionId);
    }
    return dirty;
  }

  /** Marks a session whose activity could not be written. */
  markDirty(sessionId: string): void {
    const slot = this.#slots.find(sessionId);
    if (slot !== NONE) this.#soil(slot, this.#page(slot), rowOf(slot));
  }

  *sessionIds(): Generator<string> {
    for (const { sessionIds } of this.#pages)
      for (const sessionId of sessionIds) if (sessionId !== undefined) yield sessionId;
  }

  /** The watched sessions of one user. */
  sessionIdsOf(userId: string): string[] {
    return this.#users.findAll(userId).map((slot) => this.#page(slot).sessionIds[rowOf(slot)]!);
  }

  #row(slot: number): WatchedSession {
    const page = this.#page(slot);
    const row = rowOf(slot);
    const userId = page.userIds[row];
    const device = this.#devices.at(page.devices[row]!);
    const session: { -readonly [Name in keyof WatchedSession]: WatchedSession[Name] } = {
      life: page.lives[row]!,
      startedAt: page.startedAt[row]!,
      lastActivityAt: page.lastActivityAt[row]!,
      limits: this.#limits.at(page.limits[row]!),
    };
    const allowanceMs = session.lastActivityAt - page.seenAt[row]!;
    if (allowanceMs > 0) session.allowanceMs = allowanceMs;
    if (userId !== undefined) session.userId = userId;
    if (device !== undefined) session.device = device;
    return session;
  }

  #judge(slot: number, now: number): Verdict {
    const page = this.#page(slot);
    const row = rowOf(slot);
    const timeline = { startedAt: page.startedAt[row]!, lastActivityAt: page.lastActivityAt[row]! };
    return judge(this.#limits.at(page.limits[row]!), timeline, now);
  }

  #file(slot: number, now: number): void {
    const { warnAt, expireAt } = this.#judge(slot, now);
    const warned = this.#page(slot).flags[rowOf(slot)]! & Flag.Warned;
    this.#wheel.file(slot, warned ? expireAt : warnAt);
  }

  /** Its activity is to be written. */
  #soil(slot: number, { flags }: Page, row: number): void {
    if (flags[row]! & Flag.Dirty) return;
    flags[row]! |= Flag.Dirty;
    this.#dirty.push(slot);
  }

  #page(slot: number): Page {
    return this.#pages[slot >> PAGE_BITS]!;
  }

  #allocate(): number {
    const freed = this.#free.pop();
    if (freed !== undefined) return freed;
    if (this.#used === this.#pages.length * PAGE_ROWS) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const capacity = this.#pages.push(new Page()) * PAGE_ROWS;
    this.#wheel.resize(capacity);
    this.#slots.reserve(capacity);
    this.#users.reserve(capacity);
  }
}

function rowOf(slot: number): number {
  return slot & (PAGE_ROWS - 1);
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

const STILL: Touch = Object.freeze({ moved: false, renewed: false, overdue: false });
const STILL_OVERDUE: Touch = Object.freeze({ moved: false, renewed: false, overdue: true });
const MOVED: Touch = Object.freeze({ moved: true, renewed: false, overdue: false });
const MOVED_OVERDUE: Touch = Object.freeze({ moved: true, renewed: false, overdue: true });
