import type { ServerProcess } from '../world/server-process.js';
import type { Life } from './life.js';
import { recordsIn } from './stored.js';
import type { Truth } from './truth.js';

/** Nothing left behind: after all deadlines everything is told, and the store is clean. */
export class LeftBehind {
  constructor(private readonly truth: Truth) {}

  /** At the end of the world, after all deadlines: everything is told, and nothing is left. */
  finish(process: ServerProcess): void {
    const { knowsStore, store } = this.truth.world.settings;
    const left = knowsStore && store.lists ? recordsIn(this.truth.world.storage) : [];
    const surelyLeft = left.filter((reference) => !this.#isMurky(reference));
    if (surelyLeft.length > 0)
      this.truth.break('nothing left behind', `records are still there: ${surelyLeft.join(', ')}`);
    for (const life of this.truth.history.lives) {
      if (life.process !== process.number) continue;
      if (life.state === 'alive' && !life.doubtful && !life.murky)
        this.truth.break('told once', `the end of ${life.title} was never told`);
      if (
        life.state !== 'beginning' &&
        !life.doubtful &&
        !life.murky &&
        life.beganAt >= this.truth.clocks.bornAt(process)
      )
        this.#checkGone(life);
    }
  }

  /** A store that failed may carry out a write long after it was told to remove the record. */
  #isMurky(reference: string): boolean {
    return this.truth.history.byReference(reference).some(({ murky }) => murky);
  }

  #checkGone(life: Life): void {
    const { sessionId } = life;
    if (this.truth.history.bySessionId(sessionId) !== life) return;
    // A failing store may write a record after it was told to remove it, and never say so.
    const isRecordLeft = this.truth.recordOf(life) !== undefined;
    if (isRecordLeft && !life.endedInTrouble)
      this.truth.break('nothing left behind', `the record of ${life.title} is still there`);
    const left = this.truth.world.storage.read(sessionId);
    // A session likewise: dead all the same, because it is marked as watched and has no record (S16).
    const isDead = life.endedInTrouble && !isRecordLeft && left?.includes('"sessionSecurity"');
    if (!life.leavesSession && !isDead && left?.includes('"user"'))
      this.truth.break('nothing left behind', `the session of ${life.title} is still there`);
  }
}
