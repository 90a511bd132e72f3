import { Injectable, Logger } from '@nestjs/common';
import type { ActivitySignal } from '../activity/activity-signal.js';
import { ActivityStore } from '../activity/activity-store.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { SharedActivityStore } from '../activity/shared-activity-store.js';
import { SessionSecurityOptions } from '../options/index.js';

const GROUP = 'session-security:audit';

/**
 * Writes a line of JSON for each event that an auditor asks for, in the words of the OWASP Logging Vocabulary
 * (`session_created`, `session_renewed`, `session_expired`, `session_use_after_expire`); a sign-out and a revocation are
 * `session_expired` with their reason. Instants are UTC (ASVS 5.0 16.2.2), sessions stand as keyed hashes (16.2.5).
 */
@Injectable()
export class AuditLog {
  readonly #logger = new Logger('SessionSecurityAudit');

  constructor(options: SessionSecurityOptions, tracker: ActivityTracker, store: ActivityStore) {
    if (!(options.audit ?? options.preset !== undefined)) return;
    // Several processes hear of every session, and one of them writes the line.
    if (store instanceof SharedActivityStore) {
      store.deliver(GROUP, ({ signal }) => {
        if (signal.kind !== 'moved') this.#write(signal);
        return Promise.resolve();
      });
    }
    tracker.signals.subscribe((signal) => {
      if (signal.kind === 'use-after-end' || !tracker.isShared) this.#write(signal);
    });
  }

  #write(signal: ActivitySignal): void {
    switch (signal.kind) {
      case 'start':
        return this.#line(signal, signal.record, 'session_created', []);
      case 'renew':
        return this.#line(signal, signal.record, 'session_renewed', []);
      case 'end':
        return this.#line(signal, signal.record, 'session_expired', [signal.reason]);
      case 'use-after-end':
        return this.#line(signal, signal, 'session_use_after_expire', [signal.reason]);
      case 'warn':
    }
  }

  #line(
    { at, kind }: ActivitySignal,
    { id, userId }: { id: string; userId?: string },
    name: string,
    details: string[],
  ): void {
    const event = `${name}:${[userId ?? 'unknown', ...details].join(',')}`;
    const level = kind === 'use-after-end' ? 'CRITICAL' : 'INFO';
    const line = JSON.stringify({ datetime: new Date(at).toISOString(), event, level, session: id });
    if (level === 'CRITICAL') this.#logger.error(line);
    else this.#logger.log(line);
  }
}
