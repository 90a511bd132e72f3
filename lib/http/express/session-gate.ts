import { Logger } from '@nestjs/common';
import type { ActivityTracker } from '../../activity/activity-tracker.js';
import type { SessionBlobs } from '../../activity/session-blobs.js';
import { RECORD_PREFIX, type SessionStore } from '../../activity/stores/express-session-activity-store.js';
import type { SessionSecurityRequest } from '../../options/index.js';
import { readMarker } from '../session-marker.js';
import type { RotationListener } from '../session-platform.js';

type Done = (error?: unknown, session?: unknown) => void;

/** The store with the members of express-session's base class that are decorated too. */
interface RegeneratingStore extends SessionStore {
  regenerate?(
    request: SessionSecurityRequest & { sessionID: string },
    callback: (error?: unknown) => void,
  ): void;
}

/**
 * Stands between the session library and the application's session store, so that nobody, whether request, socket or
 * raw handler, reads or writes a session that is over. It decorates the documented methods of the store's instance once:
 *
 * - `get` gives out no session that has ended, has expired, or carries the marker without a record;
 * - `destroy` and `regenerate` bury the session id before anything is removed;
 * - `set` and `touch` look for a grave before they write and again after it, and undo what they wrote. Either the grave
 *   was dug before the second look, then the write is undone; or it was dug later, then the removal that follows every
 *   burial removes the write.
 */
export class SessionGate {
  readonly #logger = new Logger('SessionSecurity');
  readonly #rotating = new Set<string>();
  #guarded: SessionStore | undefined;
  #release: () => void = () => undefined;
  /** Told when a session id is given up for another within a request. */
  onRotation: RotationListener = () => undefined;

  constructor(
    private readonly tracker: ActivityTracker,
    /** Told of the store's own methods, to reach behind the gate. */
    private readonly onAttach: (original: SessionStore) => void,
  ) {}

  /** Begins to guard a store; answers whether it is new, so that what was read from it before is not guarded yet. */
  guard(store: RegeneratingStore): boolean {
    if (store === this.#guarded) return false;
    if (this.#guarded) {
      this.#logger.warn(
        'Sessions come from more than one store; only those of the first are watched without a request.',
      );
    }
    const original = originalMethods(store);
    if (!this.#guarded) this.onAttach(original);
    this.#guarded = store;
    this.#release = restorer(store);
    this.#decorate(store, original);
    return true;
  }

  /** Gives the store back as it was: the application is closing, but the store may live on. */
  release(): void {
    this.#release();
    this.#release = () => undefined;
    this.#guarded = undefined;
  }

  #decorate(store: RegeneratingStore, original: SessionStore): void {
    const guarded = (sessionId: string): boolean => !sessionId.startsWith(RECORD_PREFIX);
    const { tracker } = this;

    store.get = (sessionId: string, callback: Done) => {
      const known = tracker.verdict(sessionId);
      // The hot path: alive by memory is certain.
      if (!guarded(sessionId) || (known && known.phase !== 'expired'))
        return original.get(sessionId, callback);
      const done = once(callback);
      void this.#admit(sessionId, original).then(
        (session) => afterwards(() => done(null, session)),
        (error: unknown) => afterwards(() => done(error)),
      );
    };

    store.set = (sessionId: string, session: unknown, callback?: Done) => {
      if (!guarded(sessionId)) return original.set(sessionId, session, callback);
      return this.#write(sessionId, original, (done) => original.set(sessionId, session, done), callback);
    };

    if (original.touch) {
      store.touch = (sessionId: string, session: unknown, callback?: Done) => {
        return this.#write(
          sessionId,
          original,
          (done) => original.touch!(sessionId, session, done),
          callback,
        );
      };
    }

    store.destroy = (sessionId: string, callback?: Done) => {
      if (!guarded(sessionId) || this.#rotating.has(sessionId) || !tracker.recall(sessionId)) {
        return original.destroy(sessionId, callback);
      }
      const done = once(callback);
      void tracker.end(sessionId, 'logout').then(() => afterwards(() => done()));
    };

    const regenerate = store.regenerate?.bind(store);
    if (regenerate) {
      store.regenerate = (request, callback) => {
        const { sessionID } = request;
        if (!tracker.recall(sessionID)) return regenerate(request, callback);
        this.#rotating.add(sessionID);
        tracker.bury(sessionID, null);
        this.onRotation(request, sessionID);
        regenerate(request, (error) => {
          this.#rotating.delete(sessionID);
          callback(error);
        });
      };
    }
  }

  /** Reads a session that memory does not know to be alive, and gives it out only if it is. */
  async #admit(sessionId: string, original: SessionStore): Promise<unknown> {
    if (this.tracker.tombstone(sessionId)) return undefined;
    if (this.tracker.verdict(sessionId) && (await this.tracker.settle(sessionId))) return undefined;
    const session = await read(original, sessionId);
    if (session === undefined || session === null) return undefined;
    const marker = readMarker(session as Record<string, unknown>);
    if (!marker) return session;
    const record = await this.tracker.locate(sessionId);
    if (record?.life !== marker.life) {
      this.tracker.bury(sessionId, null);
      await this.tracker.end(sessionId, 'revoked');
      return undefined;
    }
    if (this.tracker.verdict(sessionId)?.phase === 'expired' && (await this.tracker.settle(sessionId)))
      return undefined;
    return this.tracker.tombstone(sessionId) ? undefined : session;
  }

  #write(
    sessionId: string,
    original: SessionStore,
    write: (done: Done) => unknown,
    callback: Done = () => undefined,
  ): unknown {
    if (this.tracker.tombstone(sessionId)) return afterwards(() => callback());
    const done = once(callback);
    return write(
      once((error) => {
        if (!this.tracker.tombstone(sessionId)) return done(error);
        original.destroy(sessionId, () => done());
      }),
    );
  }
}

/** Removes blobs behind the gate. */
export class ExpressSessionBlobs implements SessionBlobs {
  #store?: SessionStore;

  attach(store: SessionStore): void {
    this.#store = store;
  }

  destroy(sessionId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const store = this.#store;
      if (!store) return resolve();
      const result = store.destroy(sessionId, (error) =>
        error
          ? reject(error instanceof Error ? error : new Error('The session store failed', { cause: error }))
          : resolve(),
      );
      Promise.resolve(result).catch(reject);
    });
  }
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

/** Puts back what the instance had of its own, so that its class's methods show again where it had nothing. */
function restorer(store: object): () => void {
  const names = ['get', 'set', 'touch', 'destroy', 'regenerate'] as const;
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(store, name)] as const);
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(store, name, descriptor);
      else Reflect.deleteProperty(store, name);
    }
  };
}

function read(store: SessionStore, sessionId: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const result = store.get(sessionId, (error, session) =>
      error
        ? reject(error instanceof Error ? error : new Error('The session store failed', { cause: error }))
        : resolve(session),
    );
    Promise.resolve(result).catch(reject);
  });
}

/** Some stores answer twice; the session library must be called back once. */
function once(callback: Done = () => undefined): Done {
  let called = false;
  return (error, session) => {
    if (called) return;
    called = true;
    callback(error, session);
  };
}

/** Outside of any promise, so that what the callback throws is not taken for a failure of the store. */
function afterwards(callback: () => void): void {
  setImmediate(callback);
}
