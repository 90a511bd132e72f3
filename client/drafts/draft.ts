import type { FieldValue } from './field-values.js';

/** What was typed into one page, as it is kept. */
export interface Draft {
  /** The session in which it was typed, as the server marks it. */
  owner: string;
  /** Epoch milliseconds. */
  savedAt: number;
  fields: KeptField[];
}

/** One field: how it is found again, and what was in it. */
export interface KeptField {
  name: string;
  value: FieldValue;
}

/** A draft as it rests in the browser: nothing of it can be read or guessed without the server's key. */
export interface SealedDraft {
  /** Stands for the user. */
  user: string;
  /** Stands for the page: path and query. */
  page: string;
  /** One life of one page; two tabs keep two drafts. */
  document: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** The nonce of AES-GCM. */
  nonce: Uint8Array<ArrayBuffer>;
  content: ArrayBuffer;
}

/** The place of a sealed draft in the store. */
export type DraftPlace = Pick<SealedDraft, 'user' | 'page' | 'document'>;

/** Nothing is kept for longer than an hour. */
export const LONGEST_LIFE_MS = 3_600_000;

/** Whether the hour is over; also for a stamp that only a clock set back, or a forger, can have made. */
export const isOver = ({ expiresAt }: Pick<SealedDraft, 'expiresAt'>, now: number): boolean =>
  !(expiresAt > now && expiresAt <= now + LONGEST_LIFE_MS);

/** When it was saved. */
export const savedAt = ({ expiresAt }: Pick<SealedDraft, 'expiresAt'>): number => expiresAt - LONGEST_LIFE_MS;
