const PAGE_BITS = 12;
const PAGE_ROWS = 1 << PAGE_BITS;
const ROW_MASK = PAGE_ROWS - 1;

/** A row in bytes, and where in it what stands. */
const ROW_BYTES = 48;
const DOUBLES = ROW_BYTES / 8;
const WORDS = ROW_BYTES / 4;
const LAST_ACTIVITY = 0;
const SEEN = 1;
const WRITTEN = 2;
const STARTED = 3;
const LIFE = 8;
const LIMITS = 9;
const DEVICE = 40;
const FLAGS = 41;

/** What is true of a session, or is not. */
export const enum Flag {
  /** Its activity is to be written. */
  Dirty = 1,
  /** Its warning has been told. */
  Warned = 2,
}

/** A piece of the table. The table grows by whole pages, so it copies nothing and keeps nobody waiting. */
class Page {
  readonly sessionIds = new Array<string | undefined>(PAGE_ROWS).fill(undefined);
  readonly userIds = new Array<string | undefined>(PAGE_ROWS).fill(undefined);
  readonly doubles = new Float64Array(PAGE_ROWS * DOUBLES);
  readonly words = new Uint32Array(this.doubles.buffer);
  readonly bytes = new Uint8Array(this.doubles.buffer);
}

/**
 * What is remembered of the watched sessions, a row each, by slot. The numbers of a row stand side by side: of a million
 * rows hardly one is in the processor's caches, so a touch waits for memory once and not for each of them.
 */
export class SessionTable {
  readonly #pages: Page[] = [];

  /** For how many rows there is room. */
  get capacity(): number {
    return this.#pages.length * PAGE_ROWS;
  }

  /** Makes room for more rows. */
  grow(): void {
    this.#pages.push(new Page());
  }

  sessionId(slot: number): string | undefined {
    return this.#page(slot).sessionIds[slot & ROW_MASK];
  }

  userId(slot: number): string | undefined {
    return this.#page(slot).userIds[slot & ROW_MASK];
  }

  setIds(slot: number, sessionId: string | undefined, userId: string | undefined): void {
    const { sessionIds, userIds } = this.#page(slot);
    sessionIds[slot & ROW_MASK] = sessionId;
    userIds[slot & ROW_MASK] = userId;
  }

  startedAt(slot: number): number {
    return this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + STARTED]!;
  }

  setStartedAt(slot: number, at: number): void {
    this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + STARTED] = at;
  }

  lastActivityAt(slot: number): number {
    return this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + LAST_ACTIVITY]!;
  }

  setLastActivityAt(slot: number, at: number): void {
    this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + LAST_ACTIVITY] = at;
  }

  /** The last activity that has been seen; {@link lastActivityAt} may allow for later. */
  seenAt(slot: number): number {
    return this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + SEEN]!;
  }

  setSeenAt(slot: number, at: number): void {
    this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + SEEN] = at;
  }

  /** The last activity that the store knows of. */
  writtenAt(slot: number): number {
    return this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + WRITTEN]!;
  }

  setWrittenAt(slot: number, at: number): void {
    this.#page(slot).doubles[(slot & ROW_MASK) * DOUBLES + WRITTEN] = at;
  }

  life(slot: number): number {
    return this.#page(slot).words[(slot & ROW_MASK) * WORDS + LIFE]!;
  }

  setLife(slot: number, life: number): void {
    this.#page(slot).words[(slot & ROW_MASK) * WORDS + LIFE] = life;
  }

  /** The number of the limits that are in force. */
  limits(slot: number): number {
    return this.#page(slot).words[(slot & ROW_MASK) * WORDS + LIMITS]!;
  }

  setLimits(slot: number, limits: number): void {
    this.#page(slot).words[(slot & ROW_MASK) * WORDS + LIMITS] = limits;
  }

  /** The number of the device's name. */
  device(slot: number): number {
    return this.#page(slot).bytes[(slot & ROW_MASK) * ROW_BYTES + DEVICE]!;
  }

  setDevice(slot: number, device: number): void {
    this.#page(slot).bytes[(slot & ROW_MASK) * ROW_BYTES + DEVICE] = device;
  }

  has(slot: number, flag: Flag): boolean {
    return (this.#page(slot).bytes[(slot & ROW_MASK) * ROW_BYTES + FLAGS]! & flag) !== 0;
  }

  set(slot: number, flag: Flag): void {
    this.#page(slot).bytes[(slot & ROW_MASK) * ROW_BYTES + FLAGS]! |= flag;
  }

  unset(slot: number, flag: Flag): void {
    this.#page(slot).bytes[(slot & ROW_MASK) * ROW_BYTES + FLAGS]! &= ~flag;
  }

  *sessionIds(): Generator<string> {
    for (const { sessionIds } of this.#pages)
      for (const sessionId of sessionIds) if (sessionId !== undefined) yield sessionId;
  }

  #page(slot: number): Page {
    return this.#pages[slot >> PAGE_BITS]!;
  }
}
