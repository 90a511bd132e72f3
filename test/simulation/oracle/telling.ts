import type { EndReason } from '../../../lib/index.js';
import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Life } from './life.js';
import { FOUND_WITHIN_MS, stamp, type Truth, WORK_MS } from './truth.js';
import type { FoundLives } from './found-lives.js';
import type { Warnings } from './warnings.js';

/** What could not be confirmed is tried again a second later. */
const TRIED_AGAIN_MS = 1000;

/** Told once: each start and each end is told, in time, for its true reason and never again. */
export class Telling {
  readonly #eventIds = new Map<string, string>();

  constructor(
    private readonly truth: Truth,
    private readonly foundLives: FoundLives,
    private readonly warnings: Warnings,
  ) {}

  told(process: ServerProcess, event: AnySessionEvent): void {
    this.truth.world.note(
      `p${process.number} tells ${event.kind} of ${event.userId} ${'reason' in event ? event.reason : ''}`,
    );
    const life = this.foundLives.lifeOf(event, process);
    if (!life)
      return this.truth.break(
        'told once',
        `${event.kind} was told of a session that ${event.userId} did not begin`,
      );
    this.#noteId(event, life);
    if (event.startedAt > stamp(process))
      this.truth.break('time never goes back', `${life.title} starts in the future`);
    if (life.mayHaveStarted(event.startedAt)) life.started(event.startedAt);
    if (life.process !== process.number && life.state === 'over' && this.truth.troubledSince(life.overAt!))
      life.comeBack(event.lastActivityAt);
    if (event.kind !== 'start') this.truth.adopt(life, process);
    switch (event.kind) {
      case 'start':
        return this.#started(life, process, event);
      case 'warn':
        return this.warnings.warned(life, process, event);
      case 'renew':
        life.renewals++;
        return;
      case 'expire':
        return this.#expired(life, process, event);
      case 'end':
        return this.#ended(life, process, event);
    }
  }

  #started(life: Life, process: ServerProcess, event: AnySessionEvent): void {
    life.state = 'alive';
    life.started(event.startedAt);
    life.process = process.number;
    life.active(event.lastActivityAt, this.truth.at);
    life.foreseenSince = stamp(process);
  }

  #expired(life: Life, process: ServerProcess, { dueAt, reason }: { dueAt: number; reason: string }): void {
    if (life.murky) return;
    const now = stamp(process);
    const [least, most] = [life.soonestDeadline(), life.latestDeadline()];
    if (now < least)
      this.truth.break('never early', `${life.title} expired ${least - now} ms before its deadline`);
    if (dueAt < least || dueAt > most)
      this.truth.break(
        'told once',
        `${life.title}: ${dueAt} is told as its deadline, which was ${least} to ${most}`,
      );
    if (reason === 'idle' && this.warnings.wasToBeWarned(life, process) && life.warnedIn !== process.number)
      this.truth.break('warned first', `${life.title} expired without a warning`);
  }

  #ended(life: Life, process: ServerProcess, { reason }: { reason: EndReason }): void {
    if (!life.murky && (life.toldIn.has(process.number) || life.state === 'over'))
      return this.truth.break('told once', `the end of ${life.title} was told again`);
    const isTimeout = reason === 'idle' || reason === 'lifetime';
    // What failed to be removed may be found missing before it is tried again.
    const isOverdue = stamp(process) >= life.soonestDeadline();
    const isMissing = reason === 'revoked' && isOverdue && this.truth.troubledSince(this.truth.at);
    const isClaimed = isMissing || life.claims.some(({ reasons }) => reasons.includes(reason));
    // Under a clock that was set back, who signs in afterwards seems to have been there before.
    const isBehind =
      reason === 'revoked' && life.startedAt < (this.truth.revokedAt.get(life.user) ?? -Infinity);
    // Giving up the id without taking the session along ends it.
    const isLeft = life.moves > 0 && (reason === 'logout' || reason === 'replaced');
    // What a request of before writes over the session may be taken for dead; but nobody signs out by that.
    const isOverwritten = life.reusesId && reason !== 'logout';
    const isExcused = isBehind || isLeft || isOverwritten || life.doubtful || life.murky;
    if (!isTimeout && !isClaimed && !isExcused)
      this.truth.break('never early', `${life.title} ended without cause: ${reason}`);
    life.toldIn.add(process.number);
    life.endedInTrouble = this.truth.troubledSince(life.overdueSince ?? this.truth.at);
    life.end(this.truth.at, reason);
  }

  /** What is over by the clock or by somebody's doing must be told soon, if the store answers. */
  checkTold(life: Life, process: ServerProcess): void {
    const written = life.formerWriter === undefined ? undefined : this.truth.recordOf(life);
    if (written) life.writtenBy(written.writer, written.lastActivityAt, this.truth.graceMs);
    if (this.truth.closingSince.has(process) || life.doubtful || life.murky) return;
    const claimed = Math.min(...life.claims.map(({ dueFrom }) => dueFrom));
    const isOverdue = stamp(process) >= life.latestDeadline();
    if (isOverdue && life.claims.length === 0) life.overdueSince ??= this.truth.at;
    const since = Math.min(claimed, life.overdueSince ?? Infinity);
    const allowed = FOUND_WITHIN_MS + TRIED_AGAIN_MS + WORK_MS;
    if (this.truth.at > Math.max(since, this.truth.world.storage.troubledUntil) + allowed)
      this.truth.break('never late', `${life.title} is over since ${since} and nobody was told`);
  }

  /** One id never stands for two things; the same thing told by another process has the same id. */
  #noteId({ id, kind, session }: AnySessionEvent, life: Life): void {
    if (kind === 'warn' || kind === 'renew') return;
    const meaning = `${kind} ${session} of life ${life.number}`;
    const known = this.#eventIds.get(id);
    if (known !== undefined && known !== meaning)
      this.truth.break('told once', `${id} stands for ${known} and ${meaning}`);
    this.#eventIds.set(id, meaning);
  }
}
