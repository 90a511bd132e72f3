import { Injectable } from '@nestjs/common';
import { merge, type Observable, Subject } from 'rxjs';
import type { ActivitySignal } from '../activity/activity-signal.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { diagnostics } from '../activity/diagnostics.js';
import { SessionReferences } from '../activity/session-reference.js';
import type {
  AnySessionEvent,
  SessionEndEvent,
  SessionExpireEvent,
  SessionRenewEvent,
  SessionStartEvent,
  SessionWarnEvent,
} from './session-event.js';

/**
 * What happens to sessions, as streams; hot, of this process. Deadlines are found within a second, also when no request
 * ever comes.
 *
 * @publicApi
 */
@Injectable()
export class SessionSecurityEvents {
  readonly start$ = new Subject<SessionStartEvent>();
  readonly warn$ = new Subject<SessionWarnEvent>();
  readonly renew$ = new Subject<SessionRenewEvent>();
  readonly expire$ = new Subject<SessionExpireEvent>();
  readonly end$ = new Subject<SessionEndEvent>();
  /** All of them, in the order in which they happen. */
  readonly all$: Observable<AnySessionEvent> = merge(
    this.start$,
    this.warn$,
    this.renew$,
    this.expire$,
    this.end$,
  );

  constructor(
    tracker: ActivityTracker,
    private readonly references: SessionReferences,
  ) {
    const streams = [this.start$, this.warn$, this.renew$, this.expire$, this.end$];
    this.all$.subscribe((event) => diagnostics.event.publish(event));
    tracker.signals.subscribe({
      next: (signal) => this.#publish(signal),
      complete: () => streams.forEach((stream) => stream.complete()),
    });
  }

  #publish(signal: ActivitySignal): void {
    switch (signal.kind) {
      case 'start':
        return this.start$.next(this.#event(signal, 'start'));
      case 'renew':
        return this.renew$.next(this.#event(signal, 'renew', signal.at));
      case 'warn':
        return this.warn$.next(this.#timed(signal, 'warn', signal.reason));
      case 'use-after-end': {
        const { id: session, userId, reason, at } = signal;
        return diagnostics.useAfterEnd.publish({ session, userId, reason, at });
      }
      case 'end':
        if (signal.reason === 'idle' || signal.reason === 'lifetime') {
          this.expire$.next(this.#timed(signal, 'expire', signal.reason));
        }
        this.end$.next(this.#timed(signal, 'end', signal.reason));
    }
  }

  #timed<Kind extends 'warn' | 'expire' | 'end', Reason extends string>(
    signal: Extract<ActivitySignal, { dueAt: number }>,
    kind: Kind,
    reason: Reason,
  ) {
    const { at, dueAt } = signal;
    return { ...this.#event(signal, kind, reason, dueAt), reason, dueAt, lateMs: Math.max(0, at - dueAt) };
  }

  #event<Kind extends AnySessionEvent['kind']>(
    { record, at }: Extract<ActivitySignal, { record: unknown }>,
    kind: Kind,
    ...identity: (string | number)[]
  ) {
    const { id: session, life, startedAt, lastActivityAt, userId, device } = record;
    return {
      id: this.references.ofEvent(session, life, kind, ...identity),
      kind,
      session,
      ...(userId === undefined ? {} : { userId }),
      ...(device === undefined ? {} : { device }),
      startedAt,
      lastActivityAt,
      recordedAt: at,
      idleMs: Math.max(0, at - lastActivityAt),
    };
  }
}
