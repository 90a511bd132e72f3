import type { ServerProcess } from '../world/server-process.js';
import type { Life } from './life.js';
import { recordIn, type StoredRecord } from './stored.js';
import { FOUND_WITHIN_MS, sameLimits, stamp, type Truth, WORK_MS } from './truth.js';

/** What is left of lives when processes begin and die, and when the clock is set. */
export class Survival {
  constructor(private readonly truth: Truth) {}

  processBegan(process: ServerProcess): void {
    this.truth.clocks.begin(process, this.truth.at, this.truth.world.wall());
    for (const life of this.truth.history.lives)
      if (life.state === 'alive') life.mayBeFoundFrom(this.truth.world.wall());
  }

  clockStepped(): void {
    for (const process of this.truth.clocks.living) {
      for (const life of this.truth.history.lives)
        if (process.number === life.process) life.foreseenSince = stamp(process);
    }
  }

  processDied(process: ServerProcess): void {
    this.truth.clocks.end(process);
    for (const life of this.truth.history.lives) {
      // It may have died between writing the record and telling of it.
      if (life.state === 'beginning' && life.process === process.number) this.#mayNotHaveBegun(life);
      if (life.state === 'beginning') continue;
      const stored = this.truth.recordOf(life);
      life.formerWriter = stored?.writer;
      if (life.process !== process.number) continue;
      this.#survive(life, stored, this.#writtenUntil(process));
      // Which ids parallel rotations made of one session is known to no other process (C6): each goes on by itself.
      life.family = life.number;
    }
  }

  /** Nobody knows either, then, whether who was there before is still there. */
  #mayNotHaveBegun(life: Life): void {
    for (const each of this.truth.history.lives)
      if (each.sessionId === life.sessionId && each.state !== 'over') each.doubtful = each.murky = true;
  }

  /** World time until which all activity must be in the store, if it answers: a crash loses that of one flush interval. */
  #writtenUntil(process: ServerProcess): number {
    const closedAt = this.truth.closingSince.get(process);
    const until = closedAt ?? this.truth.at - this.truth.graceMs - FOUND_WITHIN_MS - WORK_MS;
    return this.truth.troubledSince(until) ? -Infinity : until;
  }

  /** What the store keeps over a crash decides what becomes of a life. */
  #survive(life: Life, stored: StoredRecord | undefined, writtenUntil: number): void {
    if (life.state === 'over') return this.#mayComeBack(life, stored);
    this.#mayBeTwo(life);
    if (life.moves > 0) life.murky = true;
    if (life.moves > 0 || life.claims.length > 0) life.doubtful = true;
    if (life.claims.length > 0 && life.moves === 0 && !stored) life.end(this.truth.at);
    else if (!stored || !sameLimits(stored.limits, life.limits)) life.doubtful = true;
    // The change of its id was not through when the process died: it goes on under the one that the store knows.
    if (stored) life.givenUpAt.delete(life.sessionId);
    life.moves = 0;
    life.claims = [];
    const inStore = stored?.lastActivityAt ?? -Infinity;
    life.forgetSince(writtenUntil, inStore);
    life.earliest = Math.min(life.earliest, Math.max(life.latestKnown, inStore));
  }

  /** The process died between writing the record of a new session id and removing that of the old one. */
  #mayBeTwo(life: Life): void {
    const moves = [...this.truth.involved.values()].flatMap(({ moves }) =>
      moves?.life === life ? [moves.to] : [],
    );
    for (const sessionId of new Set([...life.givenUpAt.keys(), ...moves])) {
      if (sessionId === life.sessionId) continue;
      if (!recordIn(this.truth.world.storage, this.truth.history.referenceOf(sessionId))) continue;
      this.truth.begin(life.process, life.user, sessionId, life.reusesId).resume(life);
    }
  }

  /** An end that the store had not carried out when the process died is no end to the next one. */
  #mayComeBack(life: Life, stored: StoredRecord | undefined): void {
    // Somebody else who signed in under the same id, perhaps in the very same millisecond, has a record there now.
    if (!stored || !life.mayHaveStarted(stored.startedAt) || stored.userId !== life.user) return;
    if (!this.truth.troubledSince(life.overAt!))
      this.truth.break('nothing left behind', `the record of ${life.title} is still there`);
    life.comeBack(stored.lastActivityAt);
  }
}
