import type { ServerProcess } from '../world/server-process.js';
import type { Life } from './life.js';
import { FOUND_WITHIN_MS, stamp, type Truth, WORK_MS } from './truth.js';

/** Warned first: each idle period is warned of once and in time, and what calls it off is told. */
export class Warnings {
  constructor(private readonly truth: Truth) {}

  warned(life: Life, process: ServerProcess, { dueAt, session }: { dueAt: number; session: string }): void {
    if (life.murky) return;
    const now = stamp(process);
    const [least, most] = [life.soonestWarning, life.latestWarning];
    if (life.state === 'over')
      return this.truth.break('warned first', `${life.title} was warned after its end`);
    // Under another id it is warned anew.
    if (life.warnedIn === process.number && life.warnedAs === session)
      this.truth.break('warned first', `${life.title} was warned twice`);
    if (now < least) this.truth.break('warned first', `${life.title} was warned ${least - now} ms early`);
    if (dueAt < least || dueAt > most)
      this.truth.break(
        'warned first',
        `${life.title}: the warning names ${dueAt}, it was due at ${least} to ${most}`,
      );
    this.#checkPromptness(life, now);
    life.warnedIn = process.number;
    life.warnedAs = session;
  }

  /** A warning comes in time, or it warns of nothing. */
  #checkPromptness(life: Life, now: number): void {
    if (!life.isExact || !life.isCertain) return;
    const late = now - Math.max(life.latestWarning, life.foreseenSince);
    if (late > FOUND_WITHIN_MS + WORK_MS && !this.truth.troubledSince(this.truth.at - late - WORK_MS))
      this.truth.break('warned first', `${life.title} was warned ${late} ms late`);
  }

  /** It lived through its warning period, long enough to be found there, in a process that was up. */
  wasToBeWarned(life: Life, process: ServerProcess): boolean {
    if (!life.isExact) return false;
    const from = Math.max(life.latestWarning, life.foreseenSince);
    const sinceThen = stamp(process) - from;
    const isLong = life.latestDeadline() - from > FOUND_WITHIN_MS + WORK_MS;
    return isLong && !this.truth.troubledSince(this.truth.at - sinceThen - WORK_MS);
  }

  /** What calls a warning off, activity or longer limits, is told, at once and only then. */
  checkRenewals(life: Life): void {
    const { renewals, renewalsDue } = life;
    const isOff =
      renewals < renewalsDue ||
      (renewals > renewalsDue && life.wasExact && !this.truth.troubledSince(this.truth.at));
    if (isOff && !life.murky)
      this.truth.break('warned first', `${life.title}: ${renewals} of ${renewalsDue} renewals were told`);
    if (renewals > 0) life.warnedIn = undefined;
    life.renewals = life.renewalsDue = 0;
    life.wasExact = life.isExact;
  }
}
