import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { KeyedHash } from '../../../lib/activity/keyed-hash.js';

describe('KeyedHash', () => {
  it.each([
    ['short', 'key'],
    ['as long as a block', 'k'.repeat(64)],
    ['longer than a block', 'k'.repeat(65)],
    ['of other letters', 'clé €'],
  ])('is HMAC-SHA-256 with a secret that is %s', (_, secret) => {
    const keyedHash = new KeyedHash(secret);
    for (const text of ['', 'text', 'ÿ € 🔑', 'long '.repeat(1000), 'short again']) {
      expect(keyedHash.of(text)).toBe(createHmac('sha256', secret).update(text).digest('base64url'));
    }
  });
});
