import { type Observable, Subject } from 'rxjs';
import type { ActivityRecord, EndReason } from './activity-record.js';
import type { ActivitySignal } from './activity-signal.js';
import type { Clock } from './clock.js';

/** Tells what happens to sessions, to everybody and to those who wait for the end of one. */
export class Announcements {
  /** Everything that happens to sessions, as it happens; hot. */
  readonly signals = new Subject<ActivitySignal>();
  /** Who waits for the end of a session, by record id. */
  readonly #endings = new Map<string, Subject<EndReason>>();

  constructor(
    private readonly clock: Clock,
    /** A shared store tells what happens through its log; else it is told here. */
    private readonly isToldByStore: boolean,
  ) {}

  /** Tells what has happened here. */
  tell(signal: ActivitySignal): void {
    if (!this.isToldByStore) this.signals.next(signal);
  }

  /** Tells that a session has ended. */
  tellEnd(record: ActivityRecord, reason: EndReason, dueAt: number): void {
    this.tell({ kind: 'end', record, at: this.clock.now(), dueAt, reason });
    this.tellWaiting(record.id, reason);
  }

  /** Lets those go on who wait for the end of a session. */
  tellWaiting(id: string, reason: EndReason): void {
    const ending = this.#endings.get(id);
    if (!ending) return;
    this.#endings.delete(id);
    ending.next(reason);
    ending.complete();
  }

  /** Does anybody wait for the end of a session? */
  isAwaited(id: string): boolean {
    return this.#endings.get(id)?.observed === true;
  }

  /** Emits why the session ended when it does, and completes. */
  endOf(id: string): Observable<EndReason> {
    const ending = this.#endings.get(id) ?? new Subject<EndReason>();
    this.#endings.set(id, ending);
    return ending;
  }

  /** Who waits for the end of one record waits for that of another from now on. */
  passOn(from: string, to: string): void {
    const ending = this.#endings.get(from);
    if (!ending) return;
    this.#endings.delete(from);
    const there = this.#endings.get(to);
    if (there) there.subscribe(ending);
    else this.#endings.set(to, ending);
  }
}
