import type { Limits } from '../policy/index.js';
import { type ActivityRecord, isSameUser, withoutAllowance } from './activity-record.js';
import type { ActivityStore, FoundSession } from './activity-store.js';
import type { Announcements } from './announcements.js';
import type { Clock } from './clock.js';
import type { Rotations } from './rotations.js';
import type { SessionFinder } from './session-finder.js';
import type { SessionReferences } from './session-reference.js';
import { SharedActivityStore } from './shared-activity-store.js';
import type { StoreDebts } from './store-debts.js';
import type { WatchedSession, WatchedSessions } from './watched-sessions.js';

/** What is to be watched. */
export interface SessionStart {
  readonly userId?: string | undefined;
  readonly limits: Limits;
  readonly device?: string | undefined;
}

interface KeepOptions {
  /** It goes on from another id: nothing is told. */
  readonly silent?: boolean;
  /** Somebody else is watched under this id, whose session ends by that. */
  readonly isReplacing?: boolean;
  /** Called when it is watched, with who was watched until then. */
  readonly tell?: (previous?: WatchedSession) => void;
}

/** A session that just begins. */
interface Beginning {
  readonly record: ActivityRecord;
  /** When it is stored and watched, or could not be. */
  readonly done: Promise<void>;
}

/** How sessions begin to be watched, after a sign-in or under a new id. */
export class SessionBeginnings {
  readonly #shared: SharedActivityStore | undefined;
  /** What is under way, by session id. */
  readonly #starting = new Map<string, Beginning>();
  #life = 0;

  constructor(
    private readonly store: ActivityStore,
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly rotations: Rotations,
    private readonly finder: SessionFinder,
    private readonly announcements: Announcements,
    private readonly debts: StoreDebts,
  ) {
    this.#shared = store instanceof SharedActivityStore ? store : undefined;
  }

  /** Does a session just begin under this id? */
  has(sessionId: string): boolean {
    return this.#starting.has(sessionId);
  }

  /** The ids under which sessions just begin. */
  sessionIds(): Iterable<string> {
    return this.#starting.keys();
  }

  /** The sessions of one user that just begin. */
  ofUser(userId: string): Required<FoundSession>[] {
    return [...this.#starting].flatMap(([sessionId, { record }]) =>
      record.userId === userId ? [{ sessionId, record }] : [],
    );
  }

  /** When what begins under this id, if anything, has begun or failed to; it is not told before. Never rejects. */
  over(sessionId: string): Promise<void> | undefined {
    return this.#starting.get(sessionId)?.done.catch(() => undefined);
  }

  /**
   * Watches a session from now on. If somebody else was watched under this id, their session has been replaced; if it is
   * watched for this user already, by a parallel request, it stays as it is.
   */
  async begin(
    sessionId: string,
    { userId, limits, device }: SessionStart,
  ): Promise<{ record: ActivityRecord; replaced?: WatchedSession | undefined }> {
    while (this.has(sessionId)) await this.over(sessionId);
    const replaced = this.watched.get(sessionId);
    const id = this.references.ofSession(sessionId);
    if (replaced && isSameUser(replaced.userId, userId)) return { record: { id, ...replaced } };
    const now = this.clock.now();
    const record: ActivityRecord = {
      id,
      life: this.#nextLife(now),
      startedAt: now,
      lastActivityAt: now,
      limits,
      ...(userId === undefined ? {} : { userId }),
      ...(device === undefined ? {} : { device }),
    };
    await this.keep(sessionId, record, {
      isReplacing: replaced !== undefined,
      tell: (previous) => {
        // Unless it has ended while the other one was stored: then that has been told.
        if (previous && previous.life === replaced?.life)
          this.announcements.tellEnd({ id, ...previous }, 'replaced', now);
        this.announcements.tell({ kind: 'start', record, at: now });
      },
    });
    return { record, replaced };
  }

  /** Stored first, watched then: a session must never carry the marker of a record that does not exist. */
  async keep(
    sessionId: string,
    record: ActivityRecord,
    { silent = false, isReplacing = false, tell }: KeepOptions = {},
  ): Promise<void> {
    // What is still to be done for an earlier life of this id is overwritten.
    this.debts.cancel(sessionId);
    this.finder.handle(record.id);
    const seen = withoutAllowance(record);
    const stored = this.#store(seen, sessionId, { silent, isReplacing });
    const done = stored.then(
      () => {
        // Meanwhile who was there has gone on to another id, or has ended: nobody takes their place here.
        if (this.rotations.living(sessionId) || this.rotations.isOver(sessionId))
          return this.debts.put(sessionId, { end: 'replaced' });
        const previous = this.watched.get(sessionId);
        this.watched.put(sessionId, record, this.clock.now());
        tell?.(previous);
      },
      (error: unknown) => {
        // It may have been stored all the same: then nobody would ever end it, or it hides who is still watched here.
        const isOccupied = !this.#shared && this.watched.has(sessionId);
        this.debts.owe(sessionId, isOccupied ? { adjust: true } : { end: 'replaced' }, error);
        throw error;
      },
    );
    this.#starting.set(sessionId, { record, done });
    try {
      await done;
    } finally {
      if (this.#starting.get(sessionId)?.done === done) this.#starting.delete(sessionId);
    }
  }

  async #store(
    record: ActivityRecord,
    sessionId: string,
    { silent = false, isReplacing = false }: KeepOptions,
  ): Promise<void> {
    if (!this.#shared) return this.store.start(record);
    // Told by the store, and by nobody here.
    if (isReplacing) await this.#shared.end(record.id, 'replaced', 'keep');
    await this.#shared.start(record, sessionId, silent);
  }

  #nextLife(now: number): number {
    this.#life = Math.max(this.#life + 1, Math.floor(now));
    return this.#life % 2 ** 32;
  }
}
