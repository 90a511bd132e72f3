import { Injectable, Logger } from '@nestjs/common';
import { merge, type Observable, Subject } from 'rxjs';
import type { EndReason } from '../activity/activity-record.js';
import type { ActivitySignal } from '../activity/activity-signal.js';
import { ActivityStore } from '../activity/activity-store.js';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { diagnostics } from '../activity/diagnostics.js';
import { SessionReferences } from '../activity/session-reference.js';
import { type News, type RecordSignal, SharedActivityStore } from '../activity/shared-activity-store.js';
import type { TimeoutReason } from '../policy/index.js';
import { GuardedStream } from './guarded-stream.js';
import type {
  AnySessionEvent,
  SessionEndEvent,
  SessionEvent,
  SessionExpireEvent,
  SessionRenewEvent,
  SessionStartEvent,
  SessionWarnEvent,
} from './session-event.js';

/** Something that is still being put together. */
type Draft<Part> = { -readonly [Name in keyof Part]: Part[Name] };

/** That a session's time was over is told apart from its end. */
const EXPIRY = ['expire', 'end'] as const;
const ALL_KINDS = ['start', 'warn', 'renew', 'expire', 'end'] as const;

/**
 * What happens to sessions, as streams; hot, in this process. Deadlines are found within a second, also when no request
 * ever comes. With a store that processes share, every process hears of the sessions of all, within about a second, and
 * nothing of what happens while it is down: {@link durable} misses nothing. What a subscriber throws is logged, and
 * disturbs nobody else.
 *
 * @publicApi
 */
@Injectable()
export class SessionSecurityEvents {
  readonly #logger = new Logger('SessionSecurity');
  readonly #subjects = {
    start: new Subject<SessionStartEvent>(),
    warn: new Subject<SessionWarnEvent>(),
    renew: new Subject<SessionRenewEvent>(),
    expire: new Subject<SessionExpireEvent>(),
    end: new Subject<SessionEndEvent>(),
  };
  readonly start$ = this.#guarded('start$', this.#subjects.start);
  readonly warn$ = this.#guarded('warn$', this.#subjects.warn);
  readonly renew$ = this.#guarded('renew$', this.#subjects.renew);
  readonly expire$ = this.#guarded('expire$', this.#subjects.expire);
  readonly end$ = this.#guarded('end$', this.#subjects.end);
  /** All of them, in the order in which they happen. */
  readonly all$ = this.#guarded<AnySessionEvent>('all$', merge(...Object.values(this.#subjects)));

  constructor(
    tracker: ActivityTracker,
    private readonly references: SessionReferences,
    private readonly store: ActivityStore,
  ) {
    tracker.signals.subscribe({
      next: (signal) => this.#publish(signal),
      complete: () => Object.values(this.#subjects).forEach((subject) => subject.complete()),
    });
  }

  /**
   * Calls the handler with every event, once for the whole application however many processes it runs in, and waits for
   * its promise.
   *
   * With a store that processes share, this is the way to act on events and lose none: an event is acknowledged when the
   * promise resolves, delivered again (with the same `id`) when it rejects, takes too long or its process dies, and set
   * aside and reported after the last try. Processes that name the same group share its events. In one process, without
   * such a store, the handler is called as the event happens, and what it throws is logged.
   *
   * @param group names the handler, in all processes and versions of the application
   * @param kinds what it is called for; everything if left out
   */
  durable<Kind extends AnySessionEvent['kind'] = AnySessionEvent['kind']>(
    group: string,
    handler: (event: Extract<AnySessionEvent, { kind: Kind }>) => unknown,
    kinds = ALL_KINDS as readonly AnySessionEvent['kind'][] as readonly Kind[],
  ): void {
    const isWanted = (event: AnySessionEvent): event is Extract<AnySessionEvent, { kind: Kind }> =>
      kinds.includes(event.kind as Kind);
    if (this.store instanceof SharedActivityStore) {
      const deliver = async ({ signal }: News): Promise<void> => {
        if (signal.kind === 'moved') return;
        for (const kind of kindsOf(signal)) {
          const event = this.#eventOf(signal, kind);
          if (isWanted(event)) await handler(event);
        }
      };
      const signals = kinds.map((kind: AnySessionEvent['kind']): RecordSignal['kind'] =>
        kind === 'expire' ? 'end' : kind,
      );
      this.store.deliver(group, deliver, signals);
    } else {
      this.all$.subscribe((event) => {
        if (isWanted(event)) void this.#call(group, () => handler(event), event);
      });
    }
  }

  async #call(name: string, handler: () => unknown, event: AnySessionEvent): Promise<void> {
    try {
      await handler();
    } catch (error) {
      this.#logger.error(`${name} failed on a session's ${event.kind} event ${event.id}: ${shown(error)}`);
    }
  }

  /** What a subscriber throws is logged as what a handler throws. */
  #guarded<Event>(name: string, source: Observable<Event>): Observable<Event> {
    return new GuardedStream(source, (error) =>
      this.#logger.error(`A subscriber of ${name} failed: ${shown(error)}`),
    );
  }

  #publish(signal: ActivitySignal): void {
    if (signal.kind === 'use-after-end') {
      const { id: session, userId, reason, at } = signal;
      return diagnostics.useAfterEnd.publish({ session, userId, reason, at });
    }
    for (const kind of kindsOf(signal)) {
      const stream = this.#subjects[kind] as Subject<AnySessionEvent>;
      // When very many sessions end at once, events that nobody hears would be a good part of the work.
      if (!stream.observed && !diagnostics.event.hasSubscribers) continue;
      const event = this.#eventOf(signal, kind);
      diagnostics.event.publish(event);
      stream.next(event);
    }
  }

  #eventOf(signal: RecordSignal, kind: AnySessionEvent['kind']): AnySessionEvent {
    switch (signal.kind) {
      case 'start':
        return this.#event(signal, 'start');
      case 'renew':
        return this.#event(signal, 'renew', signal.at);
      case 'warn':
        return this.#timed(signal, 'warn', signal.reason, signal.dueAt);
      case 'end': {
        const { reason } = signal;
        return kind === 'expire' && isTimeout(reason)
          ? this.#timed(signal, 'expire', reason)
          : this.#timed(signal, 'end', reason);
      }
    }
  }

  #timed<Kind extends 'warn' | 'expire' | 'end', Reason extends string>(
    signal: Extract<ActivitySignal, { dueAt: number }>,
    kind: Kind,
    reason: Reason,
    // A life has one end, so its events need no more identity; another process may come to another instant or reason.
    ...identity: (string | number)[]
  ) {
    const { at, dueAt } = signal;
    const event = this.#event(signal, kind, ...identity);
    return Object.assign(event, { reason, dueAt, lateMs: Math.max(0, at - dueAt) });
  }

  #event<Kind extends AnySessionEvent['kind']>(
    { record, at }: Extract<ActivitySignal, { record: unknown }>,
    kind: Kind,
    ...identity: (string | number)[]
  ) {
    const { id: session, life, startedAt, lastActivityAt, userId, device } = record;
    const event: Draft<SessionEvent<Kind>> = {
      id: this.references.ofEvent(session, life, kind, ...identity),
      kind,
      session,
      startedAt,
      lastActivityAt,
      recordedAt: at,
      idleMs: Math.max(0, at - lastActivityAt),
    };
    if (userId !== undefined) event.userId = userId;
    if (device !== undefined) event.device = device;
    return event;
  }
}

/** What is told of a signal, in this order. */
function kindsOf(signal: RecordSignal): readonly AnySessionEvent['kind'][] {
  return signal.kind === 'end' && isTimeout(signal.reason) ? EXPIRY : [signal.kind];
}

function shown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isTimeout(reason: EndReason): reason is TimeoutReason {
  return reason === 'idle' || reason === 'lifetime';
}
