import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104). As `createHmac` of `node:crypto`, but without an object for each hash: of those, a hundred
 * thousand ends in one second would leave the garbage collector four times as many.
 */
export class KeyedHash {
  /** The padded key, and room for the message behind it. */
  #inner: Buffer;
  /** The padded key, and room for the hash of the inner part behind it. */
  readonly #outer: Buffer;

  constructor(secret: string) {
    const given = Buffer.from(secret, 'utf8');
    const key = Buffer.alloc(BLOCK_BYTES);
    (given.length > BLOCK_BYTES ? hash('sha256', given, 'buffer') : given).copy(key);
    this.#inner = Buffer.concat([key.map((byte) => byte ^ 0x36)]);
    this.#outer = Buffer.concat([key.map((byte) => byte ^ 0x5c)], BLOCK_BYTES + DIGEST_BYTES);
  }

  /** The hash of a text, base64url. */
  of(text: string): string {
    // No character takes more than three bytes.
    const room = BLOCK_BYTES + text.length * 3;
    if (this.#inner.length < room) this.#inner = Buffer.concat([this.#inner], room);
    const length = BLOCK_BYTES + this.#inner.write(text, BLOCK_BYTES, 'utf8');
    const digest = hash('sha256', this.#inner.subarray(0, length), 'binary');
    this.#outer.write(digest, BLOCK_BYTES, 'binary');
    return hash('sha256', this.#outer, 'base64url');
  }
}
