import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ActivityRecord } from '../activity/activity-record.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { Clock } from '../activity/clock.js';
import { SessionReferences } from '../activity/session-reference.js';
import { SessionSecurityOptions } from '../options/index.js';

/** Browsers keep drafts no longer than this, so older sign-outs need not be known. */
const DRAFTS_LIVE_MS = 3_600_000;
/** A program may sign in and out all day long. */
const MOST_SIGN_OUTS = 20;

/** What the pages of a signed-in user need to keep drafts; `docs/wire.md`. */
export interface DraftGrant {
  /** 256 bits, base64url. Of this user on this server, so that it is the same again after signing in again. */
  readonly key: string;
  /** Sessions that this user has signed out of lately, by their owner markers: how many seconds ago. */
  readonly signedOut: Readonly<Record<string, number>>;
}

/**
 * The keys under which browsers keep drafts: HMAC-SHA-256 of the user's id under the `secret` option, or under a random
 * key of this process. They are given to signed-in pages and kept nowhere.
 */
@Injectable()
export class DraftKeys {
  readonly #secret: string | Buffer;
  /** By user, oldest first: which session was signed out of, and when. */
  readonly #signOuts = new Map<string, { owner: string; at: number }[]>();

  constructor(
    { secret }: SessionSecurityOptions,
    tracker: ActivityTracker,
    private readonly references: SessionReferences,
    private readonly clock: Clock,
  ) {
    this.#secret = secret ?? randomBytes(32);
    tracker.signals.subscribe((signal) => {
      if (signal.kind === 'end' && signal.reason === 'logout') this.#noteSignOut(signal.record);
    });
  }

  grant(userId: string): DraftGrant {
    this.#forgetOldSignOuts();
    const hmac = createHmac('sha256', this.#secret).update(JSON.stringify(['draft', userId]));
    const now = this.clock.now();
    const signOuts = this.#signOuts.get(userId) ?? [];
    return {
      key: hmac.digest('base64url'),
      signedOut: Object.fromEntries(signOuts.map(({ owner, at }) => [owner, (now - at) / 1000])),
    };
  }

  #noteSignOut(record: ActivityRecord): void {
    const { userId } = record;
    if (userId === undefined) return;
    this.#forgetOldSignOuts();
    const owner = this.references.ofOwner(record);
    const signOuts = this.#signOuts.get(userId) ?? [];
    // Taken out and put back, so that the map stays in the order of the newest sign-outs.
    this.#signOuts.delete(userId);
    this.#signOuts.set(userId, [...signOuts, { owner, at: this.clock.now() }].slice(-MOST_SIGN_OUTS));
  }

  #forgetOldSignOuts(): void {
    for (const [userId, signOuts] of this.#signOuts) {
      if (this.clock.now() - signOuts.at(-1)!.at < DRAFTS_LIVE_MS) return;
      this.#signOuts.delete(userId);
    }
  }
}
