import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { SessionReferences } from '../activity/session-reference.js';

/**
 * Session ids as they may lie in Redis: encrypted, so that whoever ends a session can also remove its blob.
 *
 * AES-256-CTR with a synthetic initialisation vector (RFC 5297's idea): the vector is the record's id, which is a keyed
 * hash of the session id. It need not be stored, never serves two plain texts, and tells a forgery on decryption.
 */
export class SealedSessionIds {
  readonly #key: Buffer;

  constructor(
    secret: string,
    private readonly references: SessionReferences,
  ) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'nestjs-session-security/session-id', 32));
  }

  seal(sessionId: string): string {
    const vector = Buffer.from(this.references.ofSession(sessionId), 'base64url');
    const cipher = createCipheriv('aes-256-ctr', this.#key, vector);
    return Buffer.concat([cipher.update(bytesOf(sessionId)), cipher.final()]).toString('base64url');
  }

  /** The session id, or `undefined` if it was sealed with another secret or is damaged. */
  open(id: string, sealed: string): string | undefined {
    const vector = Buffer.from(id, 'base64url');
    if (vector.length !== 16) return undefined;
    const decipher = createDecipheriv('aes-256-ctr', this.#key, vector);
    const opened = Buffer.concat([decipher.update(sealed, 'base64url'), decipher.final()]);
    const readings = ENCODINGS.map((encoding) => opened.toString(encoding));
    return readings.find((sessionId) => this.references.ofSession(sessionId) === id);
  }
}

/** How the bytes of a session id may be meant; the hash says which it is. */
const ENCODINGS = ['base64url', 'utf8'] as const;

/** Most session ids are base64url of random bytes, which are a quarter shorter. */
function bytesOf(sessionId: string): Buffer {
  const bytes = Buffer.from(sessionId, 'base64url');
  return bytes.toString('base64url') === sessionId ? bytes : Buffer.from(sessionId, 'utf8');
}
