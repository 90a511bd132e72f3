import { randomUUID } from 'node:crypto';
import { isExempt, limitProblems, NEVER, type Limits } from '../../policy/index.js';
import type { ActivityRecord, ActivityUpdate, KeptRevocation } from '../activity-record.js';
import {
  ActivityStore,
  CorruptRecordError,
  type DueRecord,
  forgiveCorrupt,
  type FoundSession,
} from '../activity-store.js';
import type { Clock } from '../clock.js';
import type { SessionReferences } from '../session-reference.js';
import type { StoreCalls, StoreOperation } from '../store-calls.js';
import type { DueSession, WatchedSessions } from '../watched-sessions.js';
import { LateChanges } from './late-changes.js';
import { SIBLING_PREFIX, siblingEntry } from './sibling-entry.js';
import { revocationEntry, storedRevocationIn } from './stored-revocation.js';

/** The part of an express-session store that is used, with callbacks as its documentation describes them. */
export interface SessionStore {
  get(sessionId: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  destroy(sessionId: string, callback?: (error?: unknown) => void): unknown;
  touch?(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  all?(callback: (error: unknown, sessions?: unknown) => void): unknown;
}

/** No reference of a session begins so. */
const REVOCATION_PREFIX = `${SIBLING_PREFIX}user-`;

/** How long a record outlives its session in the store, so that the end can still be told after a long standstill. */
const AFTERLIFE_MS = 24 * 3600 * 1000;
const EXEMPT_LIFETIME_MS = 90 * AFTERLIFE_MS;

/** Listing a large store takes long. */
const RECOVERY_LIMIT_MS = 60_000;
/** Entries looked at between two turns of the event loop. */
const RECOVERY_SLICE = 2000;
/** Records written at the same time. */
const WRITES_AT_ONCE = 200;

interface StoredRecord {
  readonly version: 1;
  /** Its own id: some stores list what they hold without the keys. */
  readonly id?: string;
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

/** Work on one record, one thing after the other. */
interface Queue {
  last: Promise<unknown> | undefined;
}

/**
 * The default store: each record is a sibling entry in the very session store that the application already uses, with
 * a cookie-shaped expiry so that the store's own clean-up applies. It needs no infrastructure and survives restarts
 * when the session store does. `end` and `due` are exact within one process.
 */
export class ExpressSessionActivityStore extends ActivityStore {
  readonly #writer = randomUUID();
  /** The work on each record that is under way. */
  readonly #working = new Map<string, Queue>();
  readonly #late: LateChanges;
  /** Records whose removal failed: it may have been carried out all the same, then the next `end` answers them. */
  readonly #removing = new Map<string, ActivityRecord>();
  /** Sessions that have expired by memory, to be confirmed with the store. */
  #expiring: DueSession[] = [];
  #sessionStore?: SessionStore;
  /** What the store listed, by the keyed hash of the user; only then does this process know all of its sessions. */
  #revocations: Map<string, KeptRevocation> | undefined;

  constructor(
    private readonly watched: WatchedSessions,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
    private readonly calls: StoreCalls,
    private readonly flushIntervalMs: number,
  ) {
    super();
    this.#late = new LateChanges(clock);
  }

  /** Tells where the application keeps its sessions; it is known from the first request on. */
  attach(sessionStore: SessionStore): void {
    this.#sessionStore = sessionStore;
  }

  start(record: ActivityRecord): Promise<void> {
    return this.#alone(record.id, () => {
      this.#removing.delete(record.id);
      return this.#write(record);
    });
  }

  async find(id: string): Promise<ActivityRecord | undefined> {
    const stored = await this.#read(id);
    return stored && this.#record(id, stored);
  }

  async touch(updates: readonly ActivityUpdate[]): Promise<string[]> {
    const gone: string[] = [];
    for (let from = 0; from < updates.length; from += WRITES_AT_ONCE) {
      const batch = updates.slice(from, from + WRITES_AT_ONCE);
      const found = await Promise.all(batch.map((update) => this.#update(update.id, update)));
      gone.push(...batch.filter((_, index) => !found[index]).map(({ id }) => id));
    }
    return gone;
  }

  async adjust(record: ActivityRecord): Promise<void> {
    await this.#update(record.id, record);
  }

  end(id: string): Promise<ActivityRecord | undefined> {
    return this.#endIf(id, () => true);
  }

  async due(now: number, limit: number): Promise<{ due: DueRecord[]; more: boolean }> {
    for (const id of this.#late.takeLeft()) void this.#putRight(id);
    const waiting = this.#expiring.splice(0);
    if (waiting.length > 0) return { due: await this.#settleAll(waiting, now), more: true };
    const { due, more } = this.watched.due(now, limit);
    const expired = due.filter(({ verdict }) => verdict.phase === 'expired');
    if (expired.length === due.length) return { due: await this.#settleAll(expired, now), more };
    // A warning waits for no store: told later, it could come after the activity that calls it off.
    this.#expiring = expired;
    const warned = due.filter(({ verdict }) => verdict.phase === 'warning');
    return {
      due: warned.flatMap((session) => this.#warning(session)),
      more: more || expired.length > 0,
    };
  }

  #warning({ sessionId, verdict }: DueSession): DueRecord[] {
    const known = this.watched.get(sessionId);
    if (!known) return [];
    const record = { id: this.references.ofSession(sessionId), ...known };
    return [{ kind: 'warn', reason: verdict.reason, dueAt: verdict.warnAt, record, sessionId }];
  }

  async #settleAll(sessions: readonly DueSession[], now: number): Promise<DueRecord[]> {
    const settled = await Promise.all(sessions.map((session) => this.#settle(session, now)));
    return settled.filter((record) => record !== undefined);
  }

  ofUser(userId: string): Promise<FoundSession[]> {
    const found = this.watched.sessionIdsOf(userId).map((sessionId) => ({
      sessionId,
      record: { id: this.references.ofSession(sessionId), ...this.watched.get(sessionId)! },
    }));
    return Promise.resolve(found);
  }

  /** Needs a store that can list what it holds (`all`). */
  override async recover(): Promise<FoundSession[]> {
    const store = this.#sessionStore;
    if (!store?.all) return [];
    const listed = await this.calls.ask((answer) => store.all?.(answer), undefined, RECOVERY_LIMIT_MS);
    const records = new Map<string, ActivityRecord>();
    const sessionIds = new Map<string, string>();
    const revocations = new Map<string, KeptRevocation>();
    let seen = 0;
    for (const [key, entry] of entriesOf(listed)) {
      if (++seen % RECOVERY_SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      const revocation = storedRevocationIn(entry);
      if (revocation) {
        revocations.set(revocation.user, revocation);
        continue;
      }
      const stored = storedRecordIn(entry);
      const id = key?.startsWith(SIBLING_PREFIX) ? key.slice(SIBLING_PREFIX.length) : stored?.id;
      if (stored && id !== undefined) records.set(id, this.#record(id, stored));
      else if (key !== undefined) sessionIds.set(this.references.ofSession(key), key);
    }
    this.#revocations = revocations;
    return [...records].map(([id, record]) => {
      const sessionId = sessionIds.get(id);
      return sessionId === undefined ? { record } : { record, sessionId };
    });
  }

  /** Only where the store has not listed what it holds: else all sessions of the user have been found and ended. */
  override async keepRevocation(userId: string, revocation: KeptRevocation): Promise<boolean> {
    if (!this.#sessionStore) return false;
    if (this.#revocations) return true;
    const user = this.references.ofUser(userId);
    const entry = revocationEntry(user, revocation, this.clock.now());
    await this.#ask((store, answer) => store.set(REVOCATION_PREFIX + user, entry, answer));
    return true;
  }

  override async revocationOf(userId: string): Promise<KeptRevocation | undefined> {
    const user = this.references.ofUser(userId);
    if (this.#revocations) return this.#revocations.get(user);
    const entry = await this.#ask((store, answer) => store.get(REVOCATION_PREFIX + user, answer));
    if (entry == null) return undefined;
    // Something has been kept, and nobody can read it: of whom it says when is not known, they are out.
    return storedRevocationIn(entry) ?? { at: this.clock.now(), reason: 'revoked' };
  }

  /** Confirms one session's deadline with the store, which another process may have told of later activity. */
  async #settle({ sessionId, verdict }: DueSession, now: number): Promise<DueRecord | undefined> {
    const known = this.watched.get(sessionId);
    if (!known) return undefined;
    const id = this.references.ofSession(sessionId);
    const { reason } = verdict;
    const record = { id, ...known };
    // Activity may have come, here or elsewhere, while the store was asked.
    let isOver = true;
    const isStillOver = (stored: ActivityRecord | undefined): boolean => {
      // Somebody has signed in under the same session id.
      if (stored && isLaterLife(stored.life, known.life)) return (isOver = false);
      if (stored) this.watched.learn(sessionId, stored, now);
      return (isOver = this.watched.verdict(sessionId, now)?.phase === 'expired');
    };
    try {
      const ended = await this.#endIf(id, isStillOver);
      if (ended) return { kind: 'expire', reason, dueAt: verdict.expireAt, record, sessionId };
      // Ended elsewhere, and told there; or lost.
      if (isOver) return { kind: 'gone', reason, dueAt: verdict.expireAt, record, sessionId };
      this.watched.postpone(sessionId, now);
      return undefined;
    } catch {
      // The store does not answer: nobody is ended on a guess. Requests are refused by memory meanwhile.
      this.watched.postpone(sessionId, now);
      return undefined;
    }
  }

  /** Ends a record if it is to be ended as it is stored; answers it if this call did. */
  #endIf(
    id: string,
    isToEnd: (stored: ActivityRecord | undefined) => boolean,
  ): Promise<ActivityRecord | undefined> {
    return this.#alone(id, async () => {
      const entry = await this.#entry(id);
      const stored = storedRecordIn(entry);
      const record = stored ? this.#record(id, stored) : (this.#removing.get(id) ?? this.#late.wanted(id));
      if (!isToEnd(record)) return undefined;
      this.#late.want(id, undefined);
      try {
        if (entry != null) await this.#remove(id);
      } catch (error) {
        if (record) this.#removing.set(id, record);
        throw error;
      }
      this.#removing.delete(id);
      return record;
    });
  }

  /** Changes a record that exists; answers whether it does, or is still to be ended for good. */
  #update(id: string, change: Partial<ActivityRecord>): Promise<boolean> {
    return this.#alone(id, async () => {
      // It may be gone already; who tries its removal again tells of its end.
      if (this.#removing.has(id)) return true;
      const stored = await this.#read(id).catch(forgiveCorrupt);
      const record = stored ? this.#record(id, stored) : this.#late.wanted(id);
      if (!record) return false;
      // Somebody else has signed in under the same session id since.
      if (change.life !== undefined && change.life !== record.life) return true;
      const { lastActivityAt: known } = stored ?? record;
      const believable = known <= this.clock.now() ? known : 0;
      const lastActivityAt = Math.max(believable, change.lastActivityAt ?? 0);
      await this.#write({ ...record, ...change, id, lastActivityAt });
      return true;
    });
  }

  /** Whatever reads a record and then changes it does so alone, or a slow read would bring back what was, or an end. */
  #alone<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#working.get(id)?.last;
    const mine = before ? before.then(work, work) : work();
    const queue: Queue = { last: mine };
    this.#working.set(id, queue);
    const done = (): void => {
      // What a map has held may be reachable for long after it was deleted; let it be little.
      queue.last = undefined;
      if (this.#working.get(id) === queue) this.#working.delete(id);
    };
    mine.then(done, done);
    return mine;
  }

  #write(record: ActivityRecord): Promise<void> {
    const { id, life, startedAt, lastActivityAt, limits, userId, device } = record;
    const lifetimeMs = isExempt(limits) ? EXEMPT_LIFETIME_MS : limits.expireAfter * 1000 + AFTERLIFE_MS;
    const stored: StoredRecord = {
      version: 1,
      id,
      life,
      startedAt,
      lastActivityAt,
      limits: isExempt(limits) ? null : limits,
      userId,
      device,
      writer: this.#writer,
      slackMs: this.flushIntervalMs,
    };
    const entry = siblingEntry({ sessionSecurity: stored }, lifetimeMs, this.clock.now());
    return this.#change(id, record, (store, answer) => store.set(SIBLING_PREFIX + id, entry, answer));
  }

  async #read(id: string): Promise<StoredRecord | undefined> {
    const entry = await this.#entry(id);
    if (entry == null) return undefined;
    const stored = storedRecordIn(entry);
    if (!stored) throw new CorruptRecordError(id);
    return stored;
  }

  #entry(id: string): Promise<unknown> {
    return this.#ask((store, answer) => store.get(SIBLING_PREFIX + id, answer));
  }

  #remove(id: string): Promise<void> {
    return this.#change(id, undefined, (store, answer) => store.destroy(SIBLING_PREFIX + id, answer));
  }

  /** Changes what is stored, to this record or to none. What is given up may be carried out later all the same. */
  async #change(
    id: string,
    wanted: ActivityRecord | undefined,
    change: (store: SessionStore, answer: (error?: unknown) => void) => unknown,
  ): Promise<void> {
    this.#late.want(id, wanted);
    let isAnswered = false;
    let isGivenUp = false;
    try {
      await this.#ask((store, answer) =>
        change(store, (error) => {
          if (isGivenUp && !isAnswered) void this.#putRight(id, wanted);
          isAnswered = true;
          answer(error);
        }),
      );
    } catch (error) {
      isGivenUp = !isAnswered;
      if (isGivenUp) this.#late.giveUp(id, wanted);
      throw error;
    }
  }

  /**
   * A change has come that was given up: what has been done since is done once more, because it may be undone by it. Never
   * rejects: what the store refuses again is tried when deadlines are looked at next.
   */
  #putRight(id: string, carriedOut?: ActivityRecord): Promise<void> {
    const done = this.#alone(id, async () => {
      if (!this.#late.has(id)) return;
      // A store that is still slow fails here, and is given nothing more to do.
      const entry = await this.#entry(id);
      const wanted = this.#late.wanted(id);
      if (wanted && wanted !== carriedOut) await this.#write(wanted);
      if (!wanted && entry != null) await this.#remove(id);
      this.#late.settle(id);
    });
    return done.catch(() => this.#late.leave(id));
  }

  #record(id: string, stored: StoredRecord): ActivityRecord {
    const now = this.clock.now();
    const slackMs = stored.writer === this.#writer ? 0 : stored.slackMs;
    // The slack reaches to now at most; a stamp that itself lies in the future is handed on as it is.
    const allowanceMs = Math.max(0, Math.min(slackMs, now - stored.lastActivityAt));
    return {
      id,
      life: stored.life,
      startedAt: stored.startedAt,
      lastActivityAt: stored.lastActivityAt + allowanceMs,
      ...(allowanceMs > 0 ? { allowanceMs } : {}),
      limits: stored.limits ?? NEVER,
      ...(stored.userId === undefined ? {} : { userId: stored.userId }),
      ...(stored.device === undefined ? {} : { device: stored.device }),
    };
  }

  /** Before the first request of an application nothing is known of its store, and nothing is stored. */
  #ask(operation: (store: SessionStore, ...answer: Parameters<StoreOperation>) => unknown): Promise<unknown> {
    const store = this.#sessionStore;
    return store ? this.calls.ask((answer) => operation(store, answer)) : Promise.resolve(undefined);
  }
}

/** What `all` answers: an object by key, or a list, whose entries may carry their key as `id`, as connect-redis's do. */
function entriesOf(listed: unknown): Iterable<[key: string | undefined, entry: unknown]> {
  if (typeof listed !== 'object' || listed === null) return [];
  if (!Array.isArray(listed)) return Object.entries(listed);
  return listed.map((entry: { id?: unknown } | null) => [
    typeof entry?.id === 'string' ? entry.id : undefined,
    entry,
  ]);
}

function storedRecordIn(entry: unknown): StoredRecord | undefined {
  const stored = (entry as { sessionSecurity?: unknown } | null)?.sessionSecurity;
  return isStoredRecord(stored) ? stored : undefined;
}

/** Numbers of lives wrap around. */
function isLaterLife(one: number, other: number): boolean {
  return one !== other && (one - other) >>> 0 < 2 ** 31;
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
