import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Life } from './life.js';
import type { Truth } from './truth.js';

/** Finds the life that an event speaks of, also where nobody saw it begin. */
export class FoundLives {
  constructor(private readonly truth: Truth) {}

  lifeOf(event: AnySessionEvent, process: ServerProcess): Life | undefined {
    const beginning = this.truth.history.beginning(event.session, event.userId);
    if (event.kind === 'start') return beginning ?? this.#offspring(event, process);
    const life = this.truth.history.ofEvent(event);
    if (life) return life;
    if (!beginning) return this.#foundInTheMurk(event, process);
    this.truth.beginUntold(beginning, process, event);
    return this.truth.history.ofEvent(event);
  }

  /** A record that was written when nobody was left to tell of it: as the process died, or when the store had failed. */
  #foundInTheMurk(event: AnySessionEvent, process: ServerProcess): Life | undefined {
    const parent = this.truth.history.lives.findLast(({ user, murky }) => murky && user === event.userId);
    if (!parent) return undefined;
    const life = this.truth.begin(process.number, parent.user, parent.sessionId, true);
    life.murky = true;
    life.state = 'alive';
    life.started(event.startedAt);
    life.active(event.lastActivityAt, this.truth.at);
    return life;
  }

  /**
   * A life that nobody began by signing in. Parallel requests that gave up the same session id make two of one, and what
   * could not be moved to its new id, because the store failed, is seen there as if for the first time. Where several
   * people signed in under one session id, a request that read it before is taken for another sign-in.
   */
  #offspring({ session, userId }: AnySessionEvent, process: ServerProcess): Life | undefined {
    const lives = this.truth.history.byReference(session);
    const parent = lives.findLast(({ user, murky }) => user === userId || murky);
    if (!parent) return undefined;
    const { moves } =
      [...this.truth.involved.values()].find(
        ({ moves }) => moves && this.truth.history.referenceOf(moves.to) === session,
      ) ?? {};
    if (!moves) {
      const shared = lives.find(({ reusesId, murky }) => reusesId || murky);
      // Not where the other one is now: its session id may have been given up for another since.
      const sessionId = this.truth.history.sessionIdOf(session)!;
      const life = shared && this.truth.begin(process.number, userId!, sessionId, true);
      if (life) for (const each of [life, ...lives]) each.murky = true;
      return life;
    }
    const life = this.truth.begin(process.number, userId!, moves.to, false);
    life.limits = this.truth.limitsAsked.get(moves.to) ?? moves.life.limits;
    life.family = moves.life.family;
    life.claims = [...moves.life.claims];
    life.doubtful = life.murky = moves.life.murky || this.truth.troubledSince(this.truth.at);
    return life;
  }
}
