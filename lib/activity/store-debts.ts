import { type EndReason, type KeptRevocation, withoutAllowance } from './activity-record.js';
import type { ActivityStore } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { SessionBlobs } from './session-blobs.js';
import type { SessionReferences } from './session-reference.js';
import { SharedActivityStore } from './shared-activity-store.js';
import type { StoreHealth } from './store-health.js';
import type { Tombstones } from './tombstones.js';
import type { WatchedSessions } from './watched-sessions.js';

/** What a failing store still owes, tried again per tick. */
const RETRIES_PER_TICK = 100;

/** What the store refused to do for a session, to be tried again. */
export interface Debt {
  /** Its record is to be ended, for this reason… */
  readonly end?: EndReason;
  /** …which has not been told yet, because nothing was known of the session but its id. */
  readonly untold?: boolean;
  /** Its blob is to be removed. */
  readonly blob?: boolean;
  /** It goes on with this record. */
  readonly movedTo?: string;
  /** Its limits and clocks are to be written. */
  readonly adjust?: boolean;
}

/** What a store that failed owes: it is done as soon as the store is back. */
export class StoreDebts {
  readonly #debts = new Map<string, Debt>();
  /** What it is still to keep, by user id. */
  readonly #revocations = new Map<string, KeptRevocation>();

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly blobs: SessionBlobs,
    private readonly tombstones: Tombstones,
    private readonly announcements: Announcements,
    private readonly health: StoreHealth,
  ) {}

  /** What is owed for a session. */
  of(sessionId: string): Debt | undefined {
    return this.#debts.get(sessionId);
  }

  /** Something could not be done for a session. An end that was owed before keeps its reason, and what was told stays told. */
  owe(sessionId: string, debt: Debt, error: unknown): void {
    this.health.failed('end', error);
    const owed = this.#debts.get(sessionId);
    const end = owed?.end === undefined ? {} : { end: owed.end, untold: owed.untold && debt.untold };
    this.#debts.set(sessionId, { ...owed, ...debt, ...end });
  }

  /** Something is to be done for a session at the next tick, and nothing else. */
  put(sessionId: string, debt: Debt): void {
    this.#debts.set(sessionId, debt);
  }

  /** Something is done for a session, now or when the store is back. Never rejects. */
  async settle(sessionId: string, debt: Debt): Promise<void> {
    this.put(sessionId, debt);
    await this.#pay(sessionId, debt).catch((error: unknown) => this.health.failed('end', error));
  }

  /** What was owed for a session is overwritten. */
  cancel(sessionId: string): void {
    this.#debts.delete(sessionId);
  }

  /** Keeps for later processes that the sessions of a user have been ended, now or when the store is back. Never rejects. */
  async keepRevocation(userId: string, revocation: KeptRevocation): Promise<void> {
    this.#revocations.set(userId, revocation);
    await this.#keep(userId, revocation).catch((error: unknown) => this.health.failed('end', error));
  }

  /** Writes a session's limits and clocks, now or when the store is back. Never rejects. */
  async adjust(sessionId: string): Promise<void> {
    try {
      await this.#adjust(sessionId);
    } catch (error) {
      this.owe(sessionId, { adjust: true }, error);
    }
  }

  /** Removes a session's blob behind the gate, now or when the store is back. Never rejects. */
  async removeBlob(sessionId: string): Promise<void> {
    if (this.references.isStandIn(sessionId)) return;
    try {
      await this.blobs.destroy(sessionId);
    } catch (error) {
      this.owe(sessionId, { blob: true }, error);
    }
  }

  /** Tries again, for some. */
  async pay(): Promise<void> {
    if (this.#isEven) return;
    const due = [...this.#debts].slice(0, RETRIES_PER_TICK);
    const revocations = [...this.#revocations].slice(0, RETRIES_PER_TICK);
    await Promise.all([
      ...due.map(([sessionId, debt]) => this.#pay(sessionId, debt).catch(() => this.#postpone(sessionId))),
      ...revocations.map((owed) => this.#keep(...owed).catch(() => undefined)),
    ]);
    if (this.#isEven) this.health.succeeded();
  }

  get #isEven(): boolean {
    return this.#debts.size + this.#revocations.size === 0;
  }

  async #keep(userId: string, revocation: KeptRevocation): Promise<void> {
    const isDone = (await this.store.keepRevocation?.(userId, revocation)) ?? true;
    if (isDone && this.#revocations.get(userId) === revocation) this.#revocations.delete(userId);
  }

  async #pay(sessionId: string, debt: Debt): Promise<void> {
    const { end, untold, blob, movedTo, adjust } = debt;
    if (adjust) await this.#adjust(sessionId);
    if (movedTo !== undefined) await this.#move(sessionId, movedTo);
    if (end !== undefined) {
      const id = this.references.ofSession(sessionId);
      const ended = await this.store.end(id, end, blob ? 'end' : 'keep');
      if (ended && untold && this.tombstones.tellOnce(sessionId))
        this.announcements.tellEnd(ended, end, this.clock.now());
    }
    if (blob) await this.blobs.destroy(sessionId);
    if (this.#debts.get(sessionId) === debt) this.#debts.delete(sessionId);
  }

  /** It stays owed, behind all others: a part of a shared store may fail while the others answer. */
  #postpone(sessionId: string): void {
    const debt = this.#debts.get(sessionId);
    if (!debt) return;
    this.#debts.delete(sessionId);
    this.#debts.set(sessionId, debt);
  }

  async #move(sessionId: string, to: string): Promise<void> {
    if (!(this.store instanceof SharedActivityStore)) return;
    const goesOnAs = await this.store.move(this.references.ofSession(sessionId), to);
    // Another process was sooner, or has ended it.
    if (goesOnAs !== to) await this.store.end(to, 'replaced');
  }

  async #adjust(sessionId: string): Promise<void> {
    const session = this.watched.get(sessionId);
    // It has ended meanwhile: there is nothing left to write.
    if (!session) return;
    const id = this.references.ofSession(sessionId);
    await this.store.adjust(withoutAllowance({ id, ...session }));
  }
}
