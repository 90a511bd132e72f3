import { randomUUID } from 'node:crypto';
import { isExempt, limitProblems, NEVER, type Limits } from '../../policy/index.js';
import type { ActivityRecord, ActivityUpdate } from '../activity-record.js';
import { ActivityStore, CorruptRecordError, type DueRecord, type FoundSession } from '../activity-store.js';
import type { Clock } from '../clock.js';
import type { SessionReferences } from '../session-reference.js';
import type { DueSession, WatchedSessions } from '../watched-sessions.js';

/** The part of an express-session store that is used, with callbacks as its documentation describes them. */
export interface SessionStore {
  get(sessionId: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  destroy(sessionId: string, callback?: (error?: unknown) => void): unknown;
  touch?(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  all?(callback: (error: unknown, sessions?: unknown) => void): unknown;
}

/** Records stand beside the sessions in the same store, under this prefix. */
export const RECORD_PREFIX = 'session-security-';

/** How long a record outlives its session in the store, so that the end can still be told after a long standstill. */
const AFTERLIFE_MS = 24 * 3600 * 1000;
const EXEMPT_LIFETIME_MS = 90 * AFTERLIFE_MS;

interface StoredRecord {
  readonly version: 1;
  readonly life: number;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly limits: Limits | null;
  readonly userId?: string | undefined;
  readonly device?: string | undefined;
  /** The process that wrote last… */
  readonly writer: string;
  /** …and how much later than `lastActivityAt` it may have seen activity since, in milliseconds. */
  readonly slackMs: number;
}

/**
 * The default store: each record is a sibling entry in the very session store that the application already uses, with
 * a cookie-shaped expiry so that the store's own clean-up applies. It needs no infrastructure and survives restarts
 * when the session store does. `end` and `due` are exact within one process.
 */
export class ExpressSessionActivityStore extends ActivityStore {
  readonly #writer = randomUUID();
  /** Records that an `end` is removing: it alone answers them. */
  readonly #ending = new Set<string>();
  /** Writes under way, by id: an `end` waits for them, so that none lands after it and creates the record anew. */
  readonly #writing = new Map<string, Promise<unknown>>();
  #sessionStore?: SessionStore;

  constructor(
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly flushIntervalMs: number,
  ) {
    super();
  }

  /** Tells where the application keeps its sessions; it is known from the first request on. */
  attach(sessionStore: SessionStore): void {
    this.#sessionStore = sessionStore;
  }

  async start(record: ActivityRecord): Promise<void> {
    await this.#write(record);
  }

  async find(id: string): Promise<ActivityRecord | undefined> {
    const stored = await this.#read(id);
    return stored && this.#record(id, stored);
  }

  async touch(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const outcomes = await Promise.all(updates.map((update) => this.#update(update.id, update)));
    return updates.filter((_, index) => !outcomes[index]).map(({ id }) => id);
  }

  async adjust(record: ActivityRecord): Promise<void> {
    await this.#update(record.id, record);
  }

  async end(id: string): Promise<ActivityRecord | undefined> {
    if (this.#ending.has(id)) return undefined;
    this.#ending.add(id);
    try {
      await this.#writing.get(id)?.catch(() => undefined);
      const stored = await this.#read(id).catch(forgiveCorrupt);
      if (!stored) return undefined;
      await this.#call((store, done) => store.destroy(RECORD_PREFIX + id, done));
      return this.#record(id, stored);
    } finally {
      this.#ending.delete(id);
    }
  }

  async due(now: number, limit: number): Promise<{ due: DueRecord[]; more: boolean }> {
    const { due, more } = this.watched.due(now, limit);
    const settled = await Promise.all(due.map((session) => this.#settle(session, now)));
    return { due: settled.filter((record) => record !== undefined), more };
  }

  ofUser(userId: string): Promise<FoundSession[]> {
    const found = this.watched.sessionIdsOf(userId).map((sessionId) => ({
      sessionId,
      record: { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! },
    }));
    return Promise.resolve(found);
  }

  /** Confirms one session's deadline with the store, which another process may have told of later activity. */
  async #settle({ sessionId, verdict }: DueSession, now: number): Promise<DueRecord | undefined> {
    const known = this.watched.get(sessionId);
    if (!known) return undefined;
    const id = this.references.ofSession(sessionId);
    const { reason } = verdict;
    const record = { id, ...known };
    if (verdict.phase === 'warning')
      return { kind: 'warn', reason, dueAt: verdict.warnAt, record, sessionId };
    try {
      const stored = await this.find(id).catch(forgiveCorrupt);
      if (stored) this.watched.learn(sessionId, stored.lastActivityAt, now);
      // Activity may have come, here or elsewhere, while the store was asked.
      if (this.watched.verdict(sessionId, now)?.phase !== 'expired') {
        this.watched.postpone(sessionId, now);
        return undefined;
      }
      const ended = await this.end(id);
      return ended
        ? { kind: 'expire', reason, dueAt: verdict.expireAt, record, sessionId }
        : this.#forget(sessionId);
    } catch {
      // The store does not answer: nobody is ended on a guess. Requests are refused by memory meanwhile.
      this.watched.postpone(sessionId, now);
      return undefined;
    }
  }

  /** Ended elsewhere, and told there. */
  #forget(sessionId: string): undefined {
    this.watched.remove(sessionId);
    return undefined;
  }

  /** Changes a record that exists; answers whether it does. */
  async #update(id: string, change: Partial<ActivityRecord>): Promise<boolean> {
    const stored = await this.#read(id).catch(forgiveCorrupt);
    if (!stored || this.#ending.has(id)) return false;
    const record = this.#record(id, stored);
    const believable = stored.lastActivityAt <= this.clock.now() ? stored.lastActivityAt : 0;
    const lastActivityAt = Math.max(believable, change.lastActivityAt ?? 0);
    await this.#write({ ...record, ...change, id, lastActivityAt });
    return true;
  }

  async #write({
    id,
    life,
    startedAt,
    lastActivityAt,
    limits,
    userId,
    device,
  }: ActivityRecord): Promise<void> {
    const lifetimeMs = isExempt(limits) ? EXEMPT_LIFETIME_MS : limits.expireAfter * 1000 + AFTERLIFE_MS;
    const stored: StoredRecord = {
      version: 1,
      life,
      startedAt,
      lastActivityAt,
      limits: isExempt(limits) ? null : limits,
      userId,
      device,
      writer: this.#writer,
      slackMs: this.flushIntervalMs,
    };
    const cookie = {
      originalMaxAge: lifetimeMs,
      expires: new Date(this.clock.now() + lifetimeMs).toISOString(),
      httpOnly: true,
      path: '/',
    };
    const writing = this.#call((store, done) =>
      store.set(RECORD_PREFIX + id, { cookie, sessionSecurity: stored }, done),
    );
    this.#writing.set(id, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(id) === writing) this.#writing.delete(id);
    }
  }

  async #read(id: string): Promise<StoredRecord | undefined> {
    const entry = await this.#call((store, done) => store.get(RECORD_PREFIX + id, done));
    if (entry === undefined || entry === null) return undefined;
    const stored = (entry as { sessionSecurity?: unknown }).sessionSecurity;
    if (!isStoredRecord(stored)) throw new CorruptRecordError(id);
    return stored;
  }

  #record(id: string, stored: StoredRecord): ActivityRecord {
    const now = this.clock.now();
    const slackMs = stored.writer === this.#writer ? 0 : stored.slackMs;
    const latest = stored.lastActivityAt + slackMs;
    return {
      id,
      life: stored.life,
      startedAt: stored.startedAt,
      // The slack reaches to now at most; a stamp that itself lies in the future is handed on as it is.
      lastActivityAt: Math.max(stored.lastActivityAt, Math.min(latest, now)),
      limits: stored.limits ?? NEVER,
      ...(stored.userId === undefined ? {} : { userId: stored.userId }),
      ...(stored.device === undefined ? {} : { device: stored.device }),
    };
  }

  #call(
    operation: (store: SessionStore, done: (error: unknown, value?: unknown) => void) => unknown,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const store = this.#sessionStore;
      if (!store) return resolve(undefined);
      const done = (error: unknown, value?: unknown): void => {
        if (error)
          reject(error instanceof Error ? error : new Error('The session store failed', { cause: error }));
        else resolve(value);
      };
      // Some stores answer by callback, some also by a promise whose rejection nobody else would see.
      Promise.resolve(operation(store, done)).catch(reject);
    });
  }
}

function forgiveCorrupt(error: unknown): undefined {
  if (!(error instanceof CorruptRecordError)) throw error;
  return undefined;
}

function isStoredRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, life, startedAt, lastActivityAt, limits, userId, device, writer, slackMs } =
    value as Record<string, unknown>;
  return (
    version === 1 &&
    Number.isFinite(life) &&
    Number.isFinite(startedAt) &&
    Number.isFinite(lastActivityAt) &&
    Number.isFinite(slackMs) &&
    typeof writer === 'string' &&
    (userId === undefined || typeof userId === 'string') &&
    (device === undefined || typeof device === 'string') &&
    (limits === null || (typeof limits === 'object' && limitProblems(limits as Limits).length === 0))
  );
}
