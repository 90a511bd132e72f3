import { KeyedHash } from './keyed-hash.js';

const FIXED_KEY = 'nestjs-session-security';
/** As base64url these hold 132 bits. */
const LENGTH = 22;
/** No session id begins so: no cookie can carry it. */
const STAND_IN = '\0record:';

/**
 * Keyed hashes that stand for secrets: session ids never leave the process's memory, their references do.
 * HMAC-SHA-256 (RFC 2104), cut to 132 bits, base64url. ASVS 5.0 16.2.5.
 */
export class SessionReferences {
  readonly #keyedHash: KeyedHash;

  constructor(secret?: string) {
    this.#keyedHash = new KeyedHash(secret ?? FIXED_KEY);
  }

  /** The reference of a session id: the same on every process that has the same secret. */
  ofSession(sessionId: string): string {
    return this.isStandIn(sessionId) ? sessionId.slice(STAND_IN.length) : this.#hash('session', sessionId);
  }

  /** The reference of a user, for the store. */
  ofUser(userId: string): string {
    return this.#hash('revoked', userId);
  }

  /** Stands for the id of a session of which only the record is known, until its cookie is presented. */
  standInFor(reference: string): string {
    return STAND_IN + reference;
  }

  isStandIn(sessionId: string): boolean {
    return sessionId.startsWith(STAND_IN);
  }

  /**
   * The opaque marker of a user and a sign-in, which tells a page whether it still belongs to the same sign-in, also when
   * the session's id has been changed since. Before the dot stands the user, so that a locked page recognises the same
   * user after another sign-in; of somebody without an id nobody can say that.
   */
  ofOwner({ life, userId }: { life: number; userId?: string | undefined }): string {
    const signIn = this.#hash('owner', String(life), userId ?? '');
    return userId === undefined ? signIn : `${this.#hash('user', userId)}.${signIn}`;
  }

  /** The id of an event: the same whenever and wherever the same thing is told again. */
  ofEvent(...parts: readonly (string | number)[]): string {
    return this.#hash('event', ...parts.map(String));
  }

  #hash(purpose: string, ...parts: string[]): string {
    return this.#keyedHash.of(JSON.stringify([purpose, ...parts])).slice(0, LENGTH);
  }
}
