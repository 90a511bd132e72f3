import { Logger } from '@nestjs/common';
import type { ActivityTracker } from '../../activity/activity-tracker.js';
import type { Clock } from '../../activity/clock.js';
import type { SessionBlobs } from '../../activity/session-blobs.js';
import type { Answer, StoreCalls, StoreOperation } from '../../activity/store-calls.js';
import type { SessionStore } from '../../activity/stores/express-session-activity-store.js';
import { SIBLING_PREFIX } from '../../activity/stores/sibling-entry.js';
import type { SessionSecurityRequest } from '../../options/index.js';
import { readMarker } from '../session-marker.js';
import type { RotationListener } from '../session-platform.js';
import { SparedTouches } from './spared-touches.js';
import { StoreDecorator } from './store-decorator.js';
import { type StoredSession, storedSession } from './stored-session.js';
import { noteReading, passReadingOn, readingOf } from './unjudged-readings.js';
import { withheld, withholdingOf } from './withheld-session.js';

/** The store with the members of express-session's base class that are used too. */
export interface ExpressSessionStore extends SessionStore {
  regenerate?(request: SessionIdHolder, callback: Answer): void;
  createSession?(request: SessionIdHolder, data: StoredSession): object;
  on?(event: 'connect' | 'disconnect', listener: () => void): unknown;
  off?(event: 'connect' | 'disconnect', listener: () => void): unknown;
}

type SessionIdHolder = SessionSecurityRequest & { sessionID?: string };

/**
 * Stands between the session library and the application's session store, so that nobody, whether request, socket or
 * raw handler, reads or writes a session that is over. It decorates the documented methods of the store's instance once:
 *
 * - `get` gives out no session that has ended, has expired, or carries the marker without a record; when the store fails,
 *   or the session goes on under another id, it gives out one in which nobody is signed in, and which is never written;
 * - `destroy` and `regenerate` bury the session id before anything is removed;
 * - `set` and `touch` look for a grave before they write and again after it, and undo what they wrote. Either the grave
 *   was dug before the second look, then the write is undone; or it was dug later, then the removal that follows every
 *   burial removes the write;
 * - `set` and `touch` write nothing over the session of who has signed in under the same id since;
 * - `touch` is not handed on where the store knows already what it would say;
 * - `set` likewise writes nothing that was read, and not judged since, before a sign-out that left the session id in use:
 *   it would sign in again who has signed out.
 */
export class SessionGate {
  readonly #logger = new Logger('SessionSecurity');
  /** The guarded stores, each with what gives it back as it was. */
  readonly #guarded = new Map<ExpressSessionStore, () => void>();
  /** How many writes of a session are under way that a shared store may say must be undone. */
  readonly #writing = new Map<string, number>();
  readonly #touches: SparedTouches;
  #disconnected = false;
  #isReleased = false;
  /** While a session id is being given up: what destroying it comes to. */
  #partWith: SessionStore['destroy'] | undefined;
  /** Told when a session id is given up for another within a request. */
  onRotation: RotationListener = () => undefined;

  constructor(
    private readonly tracker: ActivityTracker,
    private readonly calls: StoreCalls,
    /** Told of the store's own methods, to reach behind the gate. */
    private readonly onAttach: (original: SessionStore) => void,
    clock: Clock,
  ) {
    this.#touches = new SparedTouches((sessionId) => tracker.recall(sessionId)?.limits, clock);
  }

  /** Begins to guard a store; harmless if it is guarded already. */
  guard(store: ExpressSessionStore): void {
    // A request may come late, when nobody would ever give the store back.
    if (this.#guarded.has(store) || this.#isReleased) return;
    const original = originalMethods(store);
    if (this.#guarded.size > 0) {
      this.#logger.warn(
        'Sessions come from more than one store; only those of the first are watched without a request.',
      );
    } else {
      this.onAttach(original);
    }
    const decorator = new StoreDecorator(store);
    const stopListening = this.#listen(store);
    this.#guarded.set(store, () => {
      decorator.remove();
      stopListening();
    });
    this.#decorate(store, original, decorator);
  }

  /** The store has said that it is disconnected: the session library leaves requests without a session then. */
  get isDisconnected(): boolean {
    return this.#disconnected;
  }

  /** When what is read from now on was read: {@link noteReading}. */
  get reading(): number {
    return this.tracker.leavingCount;
  }

  /** The store that was guarded first. */
  get store(): ExpressSessionStore | undefined {
    return this.#guarded.keys().next().value;
  }

  /**
   * Lets a session library regenerate a session where it destroys the id by itself, in the call, and not by the store's
   * own `regenerate`.
   *
   * @param sessionId the id that the request gives up, if it is its own
   */
  regenerate<Result>(
    request: SessionSecurityRequest,
    sessionId: string | undefined,
    through: Promise<void>,
    regenerate: () => Result,
  ): Result {
    this.#partWith = this.#parting(request, sessionId, through);
    try {
      return regenerate();
    } finally {
      this.#partWith = undefined;
    }
  }

  /** Gives the stores back as they were: the application is closing, but they may live on. */
  release(): void {
    this.#isReleased = true;
    for (const release of this.#guarded.values()) release();
    this.#guarded.clear();
  }

  #listen(store: ExpressSessionStore): () => void {
    const leave = (): void => void (this.#disconnected = true);
    const enter = (): void => void (this.#disconnected = false);
    store.on?.('disconnect', leave);
    store.on?.('connect', enter);
    return () => {
      store.off?.('disconnect', leave);
      store.off?.('connect', enter);
    };
  }

  #decorate(
    store: ExpressSessionStore,
    original: SessionStore,
    decorator: StoreDecorator<ExpressSessionStore>,
  ): void {
    const isSibling = (sessionId: string): boolean => sessionId.startsWith(SIBLING_PREFIX);

    decorator.put('get', (sessionId: string, callback?: Answer) =>
      isSibling(sessionId)
        ? original.get(sessionId, callback ?? ignore)
        : answered(callback, (answer) => this.#read(sessionId, original, answer)),
    );

    decorator.put('set', (sessionId: string, session: unknown, callback?: Answer) => {
      if (isSibling(sessionId)) return original.set(sessionId, session, callback);
      this.#touches.forget(sessionId);
      const write: StoreOperation = (done) => original.set(sessionId, session, done);
      return answered(callback, (answer) => {
        const isMarked = readMarker(session as Record<string, unknown>) !== undefined;
        // Only what has been watched can have been ended elsewhere.
        if (this.tracker.isShared && isMarked) void this.#writeTogether(sessionId, session, write, answer);
        else
          this.#write(sessionId, session, write, answer, isMarked ? undefined : readingOf(session as object));
      });
    });

    // Called on the store itself.
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const { createSession } = store;
    if (createSession) {
      decorator.put('createSession', (request, data) => {
        const session = createSession.call(store, request, data);
        passReadingOn(data, session);
        return session;
      });
    }

    if (original.touch) {
      decorator.put('touch', (sessionId: string, session: unknown, callback?: Answer) =>
        answered(callback, (answer) => {
          if (this.#touches.isSpared(sessionId, session as Partial<StoredSession>)) return answer();
          this.#touches.note(store, sessionId, session as Partial<StoredSession>);
          const write: StoreOperation = (done) => original.touch?.(sessionId, session, done);
          this.#write(sessionId, session, write, (error) => {
            if (error) this.#touches.forget(sessionId);
            answer(error);
          });
        }),
      );
    }

    decorator.put('destroy', (sessionId: string, callback?: Answer) =>
      answered(callback, (answer) => {
        if (this.#partWith) return this.#partWith(sessionId, answer);
        if (isSibling(sessionId) || !this.tracker.isInUse(sessionId))
          return this.calls.call((done) => original.destroy(sessionId, done), answer, sessionId);
        void this.tracker.end(sessionId, 'logout').then(() => afterwards(answer));
      }),
    );

    // Called on what stands in for the store.
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const { regenerate } = store;
    if (regenerate) {
      const regenerateOn = (
        receiver: ExpressSessionStore,
        request: SessionIdHolder,
        callback: Answer,
      ): void => {
        let arrive = ignore;
        const through = new Promise<void>((resolve) => (arrive = resolve));
        const partWith = this.#parting(request, request.sessionID, through);
        regenerate.call(partWith ? derived(receiver, partWith) : receiver, request, (...answer) => {
          // A turn later, the application has taken the session's data along, or has not.
          afterwards(arrive);
          callback(...answer);
        });
      };
      // It may be called on what stands in for the store: another gate before this one does so.
      decorator.put('regenerate', function (this: ExpressSessionStore, request, callback) {
        regenerateOn(this, request, callback);
      });
    }
  }

  /**
   * What destroying comes to while this request regenerates its session, if it is not what it always is: giving up the id
   * of a watched session is no sign-out, and a request without an id of its own has none to give up, nor has one whose id
   * has been given up for another before.
   */
  #parting(
    request: SessionSecurityRequest,
    sessionId: string | undefined,
    through: Promise<void>,
  ): SessionStore['destroy'] | undefined {
    const session = request.session as Record<string, unknown> | null | undefined;
    const isOwn = sessionId !== undefined && withholdingOf(session) !== 'moved';
    if (!isOwn) return (_, callback) => callback?.();
    const isInUse = this.tracker.isInUse(sessionId);
    const life = session ? readMarker(session)?.life : undefined;
    if (isInUse) this.tracker.rotate(sessionId);
    if (isInUse || life !== undefined) this.onRotation(request, { sessionId, life, isInUse }, through);
    if (!isInUse) return undefined;
    return (id, callback) => {
      void this.tracker.removeBlob(id).then(() => afterwards(() => callback?.()));
    };
  }

  #read(sessionId: string, original: SessionStore, answer: Answer): void {
    const admit = (): void =>
      void this.#admit(sessionId, original).then(
        (session) => afterwards(() => answer(null, session)),
        (error: unknown) => afterwards(() => answer(null, withheld('unreadable', error))),
      );
    if (!this.tracker.lives(sessionId) || this.#writing.has(sessionId)) return admit();
    const { leavingCount } = this.tracker;
    // The hot path: nothing is asked or waited for but the session itself.
    this.calls.call(
      (done) => original.get(sessionId, done),
      (error, found) => {
        const session = storedSession(found);
        if (error) answer(null, withheld('unreadable', error));
        else if (!session && this.tracker.isShared) admit();
        else if (!session) answer(null, this.#unlessBuried(sessionId, session));
        else if (this.#goesOn(sessionId, session)) {
          noteReading(session, leavingCount);
          answer(null, session);
        } else admit();
      },
      sessionId,
    );
  }

  /** It may have ended while the store was asked; if its id was given up meanwhile, the request goes on with it. */
  #goesOn(sessionId: string, session: StoredSession): boolean {
    const marker = readMarker(session);
    if (!marker) return this.tracker.lives(sessionId);
    if (this.tracker.goesOn(sessionId, marker.life)) return true;
    const successor = this.tracker.successorOf(sessionId);
    return successor !== undefined && this.tracker.recall(successor)?.life === marker.life;
  }

  /** Reads a session that memory does not know to be alive; what goes on under an id of another process has a stand-in. */
  async #admit(sessionId: string, original: SessionStore): Promise<unknown> {
    const session = await this.#admitHere(sessionId, original);
    return !session && (await this.tracker.goesOnElsewhere(sessionId)) ? withheld('moved') : session;
  }

  /** Gives a session out only if it is alive. */
  async #admitHere(sessionId: string, original: SessionStore): Promise<unknown> {
    if (await this.#graveOf(sessionId)) return this.#unlessBuried(sessionId, undefined);
    if (this.tracker.verdict(sessionId) && (await this.tracker.settle(sessionId))) return undefined;
    const session = await this.#readUpToDate(sessionId, original);
    const marker = session && readMarker(session);
    if (!marker) return this.#unlessBuried(sessionId, session);
    const record = await this.tracker.locate(sessionId);
    if (record?.life !== marker.life) {
      // It may have been given another id while the store was asked.
      if (this.#goesOn(sessionId, session)) return session;
      await this.tracker.buryLost(sessionId);
      return undefined;
    }
    if (this.tracker.verdict(sessionId)?.phase === 'expired' && (await this.tracker.settle(sessionId)))
      return undefined;
    return this.#unlessBuried(sessionId, session);
  }

  /** The session, if its id may be used; of one that goes on under another id what stands in for it. */
  #unlessBuried(sessionId: string, session: StoredSession | undefined): unknown {
    if (!this.tracker.tombstone(sessionId)) return session;
    return this.tracker.fateOf(sessionId) ? undefined : withheld('moved');
  }

  /**
   * Reads again if somebody has signed out meanwhile and left the session id in use: data of before that does not carry
   * the marker yet would be taken for a new sign-in.
   */
  async #readUpToDate(sessionId: string, original: SessionStore): Promise<StoredSession | undefined> {
    for (;;) {
      const { leavingCount } = this.tracker;
      await this.tracker.leavingOf(sessionId)?.done;
      const session = storedSession(await this.calls.ask((done) => original.get(sessionId, done), sessionId));
      if (!session) return undefined;
      if (!readMarker(session) && this.tracker.hasLeftSince(sessionId, leavingCount)) continue;
      noteReading(session, leavingCount);
      return session;
    }
  }

  /** In memory; and in the shared store if this process is just writing what another may have ended. */
  async #graveOf(sessionId: string): Promise<unknown> {
    return this.#writing.has(sessionId)
      ? this.tracker.findTombstone(sessionId)
      : this.tracker.tombstone(sessionId);
  }

  /** @param reading when the session was read, if that decides whether it may be written */
  #write(sessionId: string, session: unknown, write: StoreOperation, answer: Answer, reading?: number): void {
    const isOver = (): boolean =>
      this.tracker.tombstone(sessionId) !== undefined || this.#isOutdated(sessionId, reading);
    if (isOver() || withholdingOf(session) || this.#isReplaced(sessionId, session)) return afterwards(answer);
    if (this.tracker.recall(sessionId)) dateAnew(session as StoredSession);
    this.calls.call(
      // Looked at whenever the store really answers, also long after the caller has given up waiting.
      (done) =>
        write((error) => {
          if (!isOver()) return done(error);
          void this.tracker.removeBlob(sessionId).then(() => afterwards(done));
        }),
      answer,
      sessionId,
    );
  }

  /**
   * Somebody else has signed in under the session id since. Not where a store is shared: memory may be what is out of date.
   */
  #isReplaced(sessionId: string, session: unknown): boolean {
    const marker = readMarker(session as Record<string, unknown>);
    if (!marker || this.tracker.isShared) return false;
    const present = this.tracker.lifeOf(sessionId);
    return present !== undefined && present !== marker.life;
  }

  /** Somebody has signed out since, and left the session id in use. */
  #isOutdated(sessionId: string, reading: number | undefined): boolean {
    return reading !== undefined && this.tracker.hasLeftSince(sessionId, reading);
  }

  /**
   * As {@link #write}, where another process may end the session meanwhile: the grave is looked for in the shared store.
   * Until it is known that there is none, this process asks the store about the session instead of trusting its memory,
   * so that a write which has to be undone is not read.
   */
  async #writeTogether(
    sessionId: string,
    session: unknown,
    write: StoreOperation,
    answer: Answer,
  ): Promise<void> {
    this.#writing.set(sessionId, (this.#writing.get(sessionId) ?? 0) + 1);
    try {
      if (await this.tracker.findTombstone(sessionId)) return afterwards(answer);
      await new Promise<void>((resolve) => {
        this.#write(sessionId, session, write, (error) => {
          void this.tracker.findTombstone(sessionId).then(async (tombstone) => {
            if (tombstone) await this.tracker.removeBlob(sessionId);
            resolve();
            afterwards(() => answer(tombstone ? null : error));
          });
        });
      });
    } finally {
      const others = this.#writing.get(sessionId)! - 1;
      if (others === 0) this.#writing.delete(sessionId);
      else this.#writing.set(sessionId, others);
    }
  }
}

/** Removes blobs behind the gate. */
export class ExpressSessionBlobs implements SessionBlobs {
  #store?: SessionStore;

  constructor(private readonly calls: StoreCalls) {}

  attach(store: SessionStore): void {
    this.#store = store;
  }

  async destroy(sessionId: string): Promise<void> {
    const store = this.#store;
    if (store) await this.calls.ask((answer) => store.destroy(sessionId, answer), sessionId);
  }
}

/**
 * express-session dates a session's expiry when the headers are sent. At the end of a stream that may be long past, and
 * stores drop what is past, so a living session would be lost by it.
 */
function dateAnew(session: StoredSession): void {
  if (session.cookie?.originalMaxAge != null) session.touch?.();
}

/** The store's methods as they are now, on the store as `this`. */
function originalMethods(store: SessionStore): SessionStore {
  return {
    get: store.get.bind(store),
    set: store.set.bind(store),
    destroy: store.destroy.bind(store),
    ...(store.touch ? { touch: store.touch.bind(store) } : {}),
    ...(store.all ? { all: store.all.bind(store) } : {}),
  };
}

/** The same store to its own methods, but for how it destroys. */
function derived(store: ExpressSessionStore, destroy: SessionStore['destroy']): ExpressSessionStore {
  return Object.create(store, { destroy: { value: destroy } }) as ExpressSessionStore;
}

/** Calls back, or answers a promise to those who gave no callback, as the stores with asynchronous methods do. */
function answered(callback: Answer | undefined, run: (answer: Answer) => void): unknown {
  if (callback) return run(callback);
  return new Promise((resolve, reject) => {
    run((error, value) => (error instanceof Error ? reject(error) : resolve(value)));
  });
}

/** Outside of any promise, so that what the callback throws is not taken for a failure of the store. */
function afterwards(callback: () => void): void {
  setImmediate(() => callback());
}

function ignore(): void {
  // Nobody wants to know.
}
