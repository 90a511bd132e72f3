import { readContent, writeContent } from './draft-content.js';
import { isOver, LONGEST_LIFE_MS } from './draft.js';
import type { Draft, SealedDraft } from './draft.js';

/** Seals and opens the drafts of one user. The keys live in memory only, and cannot be taken out of it. */
export interface DraftCipher {
  /** Stands for the user in the store. */
  user: string;
  /** Stands for a page in the store. */
  markOf: (page: string) => Promise<string>;
  seal: (draft: Draft, page: string, document: string) => Promise<SealedDraft>;
  /** The draft; undefined when it is over, damaged, or of somebody else. */
  open: (sealed: SealedDraft, now: number) => Promise<Draft | undefined>;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Base64url (RFC 4648, section 5). */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  );
}

function toBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/**
 * Derives the keys of a user's drafts from what the server gave (HKDF, RFC 5869): one that encrypts (AES-256-GCM), one
 * that makes the marks by which drafts are found (HMAC-SHA-256).
 *
 * @param key 256 bits, base64url
 */
export async function draftCipher(key: string): Promise<DraftCipher> {
  const { subtle } = crypto;
  const root = await subtle.importKey('raw', fromBase64Url(key), 'HKDF', false, ['deriveKey']);
  const derive = (info: string, algorithm: AesKeyGenParams | HmacKeyGenParams, usages: KeyUsage[]) =>
    subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: bytesOf(info) },
      root,
      algorithm,
      false,
      usages,
    );
  const sealing = await derive('seal', { name: 'AES-GCM', length: 256 }, ['encrypt', 'decrypt']);
  const marking = await derive('mark', { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']);
  const mark = async (purpose: string, text = '') =>
    toBase64(await subtle.sign('HMAC', marking, bytesOf(JSON.stringify([purpose, text]))));
  /** Whoever moves a draft to another place or prolongs its life makes it unreadable. */
  const bound = (
    { user, page, document, expiresAt }: Omit<SealedDraft, 'content' | 'nonce'>,
    nonce: BufferSource,
  ) => ({
    name: 'AES-GCM',
    iv: nonce,
    additionalData: bytesOf(JSON.stringify([user, page, document, expiresAt])),
  });

  const user = await mark('user');
  return {
    user,
    markOf: (page) => mark('page', page),
    async seal(draft, page, document) {
      const nonce = crypto.getRandomValues(new Uint8Array(12));
      const place = { user, page: await mark('page', page), document };
      const stamped = { ...place, expiresAt: draft.savedAt + LONGEST_LIFE_MS };
      const content = await subtle.encrypt(bound(stamped, nonce), sealing, writeContent(draft));
      return { ...stamped, nonce, content };
    },
    async open(sealed, now) {
      if (isOver(sealed, now)) return;
      try {
        return readContent(await subtle.decrypt(bound(sealed, sealed.nonce), sealing, sealed.content));
      } catch {
        // Neither whole nor ours.
      }
    },
  };
}
