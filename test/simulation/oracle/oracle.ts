import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { SessionStatus } from '../../../lib/http/ping-answer.js';
import type { Limits } from '../../../lib/index.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Desktop } from '../world/browser/desktop.js';
import type { Visit, VisitWitness } from '../world/visit.js';
import { Admission } from './admission.js';
import type { BrokenPromise } from './broken-promise.js';
import { Deeds } from './deeds.js';
import { FoundLives } from './found-lives.js';
import type { History } from './history.js';
import { LeftBehind } from './left-behind.js';
import { Pace } from './pace.js';
import { Survival } from './survival.js';
import { TabsOracle } from './tabs/tabs-oracle.js';
import { Telling } from './telling.js';
import { type Surroundings, titleOf, Truth } from './truth.js';
import { Warnings } from './warnings.js';

/**
 * Knows the true history of the world and holds the promises of the server side against everything that is seen: whom
 * handlers are run for, what the ping answers, what comes out of the session store, which events are told and when. It
 * shares no code with the engine; what it cannot know for certain, after crashes and while the store is in trouble, it
 * does not claim. Each family of promises has a part of its own; this one hands out what is seen.
 */
export class Oracle implements VisitWitness {
  readonly #truth: Truth;
  readonly #survival: Survival;
  readonly #deeds: Deeds;
  readonly #admission: Admission;
  readonly #warnings: Warnings;
  readonly #telling: Telling;
  readonly #pace: Pace;
  readonly #tabs: TabsOracle[] = [];

  constructor(world: Surroundings) {
    const truth = (this.#truth = new Truth(world));
    this.#survival = new Survival(truth);
    this.#deeds = new Deeds(truth);
    this.#admission = new Admission(truth);
    this.#warnings = new Warnings(truth);
    this.#telling = new Telling(truth, new FoundLives(truth), this.#warnings);
    this.#pace = new Pace(truth);
  }

  /** The first promise that was broken. */
  get broken(): BrokenPromise | undefined {
    return this.#truth.broken;
  }

  get history(): History {
    return this.#truth.history;
  }

  /** @returns what sees the pages of a browser from now on */
  watch(desktop: Desktop): TabsOracle {
    const tabs = new TabsOracle(this.#truth, desktop);
    this.#tabs.push(tabs);
    return tabs;
  }

  // What becomes of processes and clocks.

  processBegan(process: ServerProcess): void {
    this.#survival.processBegan(process);
    for (const tabs of this.#tabs) tabs.serverChanged();
  }

  processCloses(process: ServerProcess): void {
    this.#truth.closingSince.set(process, this.#truth.at);
  }

  processDied(process: ServerProcess): void {
    this.#survival.processDied(process);
  }

  clockStepped(): void {
    this.#survival.clockStepped();
    for (const tabs of this.#tabs) tabs.serverChanged();
  }

  // What handlers, guard and ping did.

  served(visit: Visit): void {
    this.#admission.served(visit);
  }

  refused(visit: Visit): void {
    this.#admission.refused(visit);
  }

  pinged(visit: Visit, status: SessionStatus): void {
    this.#admission.pinged(visit, status);
    const life = this.history.livingUnder(visit.presentedId);
    if (life) for (const tabs of this.#tabs) tabs.pinged(status, life);
  }

  /** A socket or a raw handler read the session store. */
  read(process: ServerProcess, sessionId: string, data: { user?: { id: string } } | undefined): void {
    this.#admission.read(process, sessionId, data);
  }

  limitsAsked(process: ServerProcess, sessionId: string, user: string | undefined, limits: Limits): void {
    this.#admission.limitsAsked(process, sessionId, user, limits);
  }

  signedIn(visit: Visit): void {
    this.#deeds.signedIn(visit);
  }

  ending(visit: Visit, reason: 'logout' | 'replaced'): void {
    this.#deeds.ending(visit, reason);
  }

  rotating(visit: Visit): void {
    this.#deeds.rotating(visit);
  }

  rotated(visit: Visit, from: string, to: string): void {
    this.#deeds.rotated(visit, from, to);
  }

  settled(visit: Visit): void {
    this.#deeds.settled(visit);
  }

  sent(visit: Visit): void {
    this.#deeds.sent(visit);
  }

  over(visit: Visit): void {
    this.#deeds.over(visit);
  }

  broke(visit: Visit, what: string): void {
    this.#truth.world.note(`${titleOf(visit)} breaks: ${what.split('\n', 1)[0]}`);
    if (!this.#truth.troubledSince(visit.beganAt))
      this.#truth.break('no request breaks', `${titleOf(visit)}: ${what}`);
  }

  /** @returns to be called when an administrator's revocation is through */
  revoking(process: ServerProcess, user: string): () => void {
    return this.#deeds.revoking(process, user);
  }

  // What the engine told.

  told(process: ServerProcess, event: AnySessionEvent): void {
    this.#telling.told(process, event);
    const life = this.history.ofEvent(event);
    if (life && event.kind === 'expire' && event.reason === 'idle')
      for (const tabs of this.#tabs) tabs.expired(life, process, event);
  }

  // What must hold after every step, and at the end of the world.

  afterStep(): void {
    const { clocks, history } = this.#truth;
    this.#pace.afterStep();
    this.#admission.afterStep();
    for (const life of history.lives) {
      this.#warnings.checkRenewals(life);
      if (life.state !== 'alive') continue;
      const process = clocks.living.find(({ number }) => number === life.process);
      if (process) this.#telling.checkTold(life, process);
    }
    for (const tabs of this.#tabs) tabs.afterStep();
  }

  finish(process: ServerProcess): void {
    new LeftBehind(this.#truth).finish(process);
    for (const tabs of this.#tabs) tabs.finish();
  }
}
