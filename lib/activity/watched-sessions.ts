import { judge, type Limits, type Verdict } from '../policy/index.js';
import { DeadlineWheel } from './deadline-wheel.js';

/** A watched session as this process remembers it. Instants in epoch milliseconds. */
export interface WatchedSession {
  readonly life: number;
  readonly startedAt: number;
  readonly lastActivityAt: number;
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

const FIRST_CAPACITY = 1024;

/**
 * All watched sessions of this process, in columns: one map from session id to a slot, and typed arrays by slot. A row
 * costs about 90 bytes beside the id string, where an object per session costs several hundred, and the garbage
 * collector has nothing to walk. The hot path is one map look-up and one number.
 *
 * What is remembered is a lower bound of the truth: last activity only grows, and other processes may know of later
 * activity. So "alive by memory" is certain; "expired by memory" must be confirmed with the store.
 */
export class WatchedSessions {
  readonly #slots = new Map<string, number>();
  readonly #wheel: DeadlineWheel;
  readonly #limits = new LimitsPool();
  readonly #devices = new DevicePool();
  readonly #users = new UserIndex();
  #free: number[] = [];
  #capacity = 0;
  #used = 0;
  #sessionIds: (string | undefined)[] = [];
  #userIds: (string | undefined)[] = [];
  #lastActivityAt = new Float64Array(0);
  #startedAt = new Float64Array(0);
  #lives = new Uint32Array(0);
  #limitsIndex = new Uint32Array(0);
  #deviceIndex = new Uint8Array(0);
  #flags = new Uint8Array(0);
  #dirty: number[] = [];

  constructor(now: number) {
    this.#wheel = new DeadlineWheel(now);
  }

  get size(): number {
    return this.#slots.size;
  }

  has(sessionId: string): boolean {
    return this.#slots.has(sessionId);
  }

  get(sessionId: string): WatchedSession | undefined {
    const slot = this.#slots.get(sessionId);
    return slot === undefined ? undefined : this.#row(slot);
  }

  /** Where the session stands by this process's memory; `undefined` if it is not watched here. */
  verdict(sessionId: string, now: number): Verdict | undefined {
    const slot = this.#slots.get(sessionId);
    return slot === undefined ? undefined : this.#judge(slot, now);
  }

  /** Watches a session, or replaces what was known of it. */
  put(sessionId: string, session: WatchedSession, now: number): void {
    this.remove(sessionId);
    const slot = this.#allocate();
    this.#slots.set(sessionId, slot);
    this.#sessionIds[slot] = sessionId;
    this.#userIds[slot] = session.userId;
    this.#lives[slot] = session.life;
    this.#startedAt[slot] = session.startedAt;
    this.#deviceIndex[slot] = this.#devices.index(session.device);
    // A stored stamp may lie in the future; it must not go on counting as activity until then.
    this.#lastActivityAt[slot] = Math.min(session.lastActivityAt, now);
    this.#limitsIndex[slot] = this.#limits.index(session.limits);
    this.#flags[slot] = 0;
    if (session.userId !== undefined) this.#users.add(session.userId, slot);
    this.#file(slot, now);
  }

  /**
   * Counts activity at `at`; never moves back.
   *
   * @returns `moved`: last activity is later than before; `renewed`: it also calls off a warning that had been given.
   */
  touch(sessionId: string, at: number, now: number): { moved: boolean; renewed: boolean } {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined || at <= this.#lastActivityAt[slot]!) return STILL;
    this.#lastActivityAt[slot] = at;
    const flags = this.#flags[slot]!;
    if (!(flags & Flag.Dirty)) {
      this.#flags[slot] = flags | Flag.Dirty;
      this.#dirty.push(slot);
    }
    if (!(flags & Flag.Warned) || this.#judge(slot, now).phase !== 'active') return MOVED;
    this.#flags[slot]! &= ~Flag.Warned;
    // A warned session waits for its end in the wheel; its next warning may come sooner than that.
    this.#file(slot, now);
    return RENEWED;
  }

  /**
   * Takes over later activity that another process told the store; it is stored already, so it is not written again.
   * A stamp in the future says nothing.
   */
  learn(sessionId: string, lastActivityAt: number, now: number): void {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined || lastActivityAt > now) return;
    this.#lastActivityAt[slot] = Math.max(this.#lastActivityAt[slot]!, lastActivityAt);
  }

  /** Puts other limits in force, at once; answers whether they differ from those before. */
  setLimits(sessionId: string, limits: Limits, now: number): boolean {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined) return false;
    const index = this.#limits.index(limits);
    if (this.#limitsIndex[slot] === index) return false;
    this.#limitsIndex[slot] = index;
    if (this.#judge(slot, now).phase === 'active') this.#flags[slot]! &= ~Flag.Warned;
    this.#file(slot, now);
    return true;
  }

  remove(sessionId: string): WatchedSession | undefined {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined) return undefined;
    const session = this.#row(slot);
    this.#slots.delete(sessionId);
    this.#wheel.unfile(slot);
    if (session.userId !== undefined) this.#users.remove(session.userId, slot);
    this.#sessionIds[slot] = undefined;
    this.#userIds[slot] = undefined;
    this.#flags[slot] = 0;
    this.#free.push(slot);
    return session;
  }

  /** Restarts both clocks of a session: its user has signed in anew. */
  restart(sessionId: string, now: number): void {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined) return;
    this.#startedAt[slot] = now;
    this.#lastActivityAt[slot] = now;
    this.#flags[slot]! &= ~Flag.Warned;
    this.#file(slot, now);
  }

  /** Files a session again for the next second: its end could not be confirmed yet. */
  postpone(sessionId: string, now: number): void {
    const slot = this.#slots.get(sessionId);
    if (slot !== undefined) this.#wheel.file(slot, now + 1000);
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
      if (slot === -1) return { due, more: false };
      const verdict = this.#judge(slot, now);
      if (verdict.phase === 'expired') {
        due.push({ sessionId: this.#sessionIds[slot]!, verdict });
        continue;
      }
      if (verdict.phase === 'warning' && !(this.#flags[slot]! & Flag.Warned)) {
        this.#flags[slot]! |= Flag.Warned;
        due.push({ sessionId: this.#sessionIds[slot]!, verdict });
      }
      this.#file(slot, now);
    }
    return { due, more: true };
  }

  /** Sessions whose last activity moved since the last call, and forgets that it did. */
  takeDirty(): string[] {
    const dirty: string[] = [];
    for (const slot of this.#dirty) {
      const sessionId = this.#sessionIds[slot];
      if (sessionId === undefined || !(this.#flags[slot]! & Flag.Dirty)) continue;
      this.#flags[slot]! &= ~Flag.Dirty;
      dirty.push(sessionId);
    }
    this.#dirty = [];
    return dirty;
  }

  /** Marks a session whose activity could not be written. */
  markDirty(sessionId: string): void {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined || this.#flags[slot]! & Flag.Dirty) return;
    this.#flags[slot]! |= Flag.Dirty;
    this.#dirty.push(slot);
  }

  sessionIds(): IterableIterator<string> {
    return this.#slots.keys();
  }

  /** The watched sessions of one user. */
  sessionIdsOf(userId: string): string[] {
    const found: string[] = [];
    this.#users.each(userId, (slot) => {
      if (this.#userIds[slot] === userId) found.push(this.#sessionIds[slot]!);
    });
    return found;
  }

  #row(slot: number): WatchedSession {
    const userId = this.#userIds[slot];
    const device = this.#devices.at(this.#deviceIndex[slot]!);
    return {
      life: this.#lives[slot]!,
      startedAt: this.#startedAt[slot]!,
      lastActivityAt: this.#lastActivityAt[slot]!,
      limits: this.#limits.at(this.#limitsIndex[slot]!),
      ...(userId === undefined ? {} : { userId }),
      ...(device === undefined ? {} : { device }),
    };
  }

  #judge(slot: number, now: number): Verdict {
    const timeline = { startedAt: this.#startedAt[slot]!, lastActivityAt: this.#lastActivityAt[slot]! };
    return judge(this.#limits.at(this.#limitsIndex[slot]!), timeline, now);
  }

  #file(slot: number, now: number): void {
    const { warnAt, expireAt } = this.#judge(slot, now);
    this.#wheel.file(slot, this.#flags[slot]! & Flag.Warned ? expireAt : warnAt);
  }

  #allocate(): number {
    const freed = this.#free.pop();
    if (freed !== undefined) return freed;
    if (this.#used === this.#capacity) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    this.#capacity = Math.max(FIRST_CAPACITY, this.#capacity * 2);
    const grown = <Numbers extends Float64Array | Uint32Array | Uint8Array>(
      from: Numbers,
      into: Numbers,
    ): Numbers => {
      into.set(from);
      return into;
    };
    this.#lastActivityAt = grown(this.#lastActivityAt, new Float64Array(this.#capacity));
    this.#startedAt = grown(this.#startedAt, new Float64Array(this.#capacity));
    this.#lives = grown(this.#lives, new Uint32Array(this.#capacity));
    this.#deviceIndex = grown(this.#deviceIndex, new Uint8Array(this.#capacity));
    this.#limitsIndex = grown(this.#limitsIndex, new Uint32Array(this.#capacity));
    this.#flags = grown(this.#flags, new Uint8Array(this.#capacity));
    this.#wheel.resize(this.#capacity);
    this.#users.resize(this.#capacity);
  }
}

const STILL = Object.freeze({ moved: false, renewed: false });
const MOVED = Object.freeze({ moved: true, renewed: false });
const RENEWED = Object.freeze({ moved: true, renewed: true });

/** Limits are shared by thousands of sessions: each combination is kept once, and sessions hold its number. */
class LimitsPool {
  readonly #numbers = new Map<string, number>();
  readonly #limits: Limits[] = [];

  index({ warnAfter, expireAfter, maxLifetime = null }: Limits): number {
    const key = `${warnAfter}/${expireAfter}/${maxLifetime}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#limits.push(Object.freeze({ warnAfter, expireAfter, maxLifetime })) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  at(index: number): Limits {
    return this.#limits[index]!;
  }
}

/** Device names are few: at most 255 different ones are told apart, the rest goes unnamed. */
class DevicePool {
  readonly #devices: (string | undefined)[] = [undefined];

  index(device: string | undefined): number {
    const known = this.#devices.indexOf(device);
    if (known !== -1) return known;
    return this.#devices.length > 255 ? 0 : this.#devices.push(device) - 1;
  }

  at(index: number): string | undefined {
    return this.#devices[index];
  }
}

/**
 * From a user to the slots of their sessions: a chained hash table in typed arrays, 12 bytes a session, where a map of
 * sets would double the cost of a row. Chains may hold slots of other users with the same hash; the caller compares.
 */
class UserIndex {
  #heads = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #hashes = new Uint32Array(0);

  resize(capacity: number): void {
    const hashes = new Uint32Array(capacity);
    hashes.set(this.#hashes);
    const members: number[] = [];
    for (const head of this.#heads)
      for (let slot = head; slot !== -1; slot = this.#next[slot]!) members.push(slot);
    this.#hashes = hashes;
    this.#heads = new Int32Array(capacity).fill(-1);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    for (const slot of members) this.#link(slot);
  }

  add(userId: string, slot: number): void {
    this.#hashes[slot] = hashOf(userId);
    this.#link(slot);
  }

  remove(userId: string, slot: number): void {
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === -1) this.#heads[hashOf(userId) % this.#heads.length] = next;
    else this.#next[previous] = next;
    if (next !== -1) this.#previous[next] = previous;
  }

  each(userId: string, visit: (slot: number) => void): void {
    if (this.#heads.length === 0) return;
    let slot = this.#heads[hashOf(userId) % this.#heads.length]!;
    while (slot !== -1) {
      visit(slot);
      slot = this.#next[slot]!;
    }
  }

  #link(slot: number): void {
    const bucket = this.#hashes[slot]! % this.#heads.length;
    const head = this.#heads[bucket]!;
    this.#next[slot] = head;
    this.#previous[slot] = -1;
    if (head !== -1) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
