import type { Limits, SessionSecurityRequest } from '../../../lib/index.js';
import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import { Oracle } from '../oracle/oracle.js';
import { letHappen } from './course.js';
import { runToRest } from './event-loop.js';
import { Random } from './random.js';
import { Scheduler } from './scheduler.js';
import { type Inhabitant, ServerProcess, type Surroundings } from './server-process.js';
import { SessionStorage } from './session-storage.js';
import { drawSettings, type Settings } from './settings.js';
import type { Trace } from './trace.js';
import { type Answer, type Plan, Visit, type VisitSession } from './visit.js';

/** An arbitrary day, as the wall clock shows it when the world begins. */
const EPOCH = 1_700_000_000_000;
/** Calls to the store are given up up to so many seconds after their time limit. */
const GIVEN_UP_LATE = 2;
const NEVER: Limits = { warnAfter: Infinity, expireAfter: Infinity, maxLifetime: null };

/**
 * Everything that exists: time and chance, one machine with its wall clock, the session storage, the server process that
 * is up, and the oracle that watches. Actors do things to it; the loop lets one thing happen after the other.
 */
export class World implements Surroundings {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly storage: SessionStorage;
  readonly settings: Settings;
  readonly oracle: Oracle;
  /** Limits that an administrator has set for a user. */
  readonly userLimits = new Map<string, Limits | 'never'>();
  #process: ServerProcess | undefined;
  #last: ServerProcess | undefined;
  #processes = 0;
  #visits = 0;
  readonly #openVisits = new Set<Visit>();
  #sessionIds = 0;
  #wallOffset = 0;
  /** Code that the present happening leads into. */
  #entering: { inhabitant: Inhabitant; run: () => void }[] = [];

  constructor(
    seed: number,
    private readonly trace: Trace,
  ) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random);
    this.settings = drawSettings(this.random);
    this.storage = new SessionStorage(
      this.scheduler,
      this.random,
      (this.settings.storeTimeout + GIVEN_UP_LATE) * 1000,
    );
    this.oracle = new Oracle(this);
    this.note(JSON.stringify(this.settings));
  }

  /** The server process that answers requests, if one is up. */
  get process(): ServerProcess | undefined {
    return this.#process;
  }

  /** Lets happen what is to happen within a time, or until a promise is broken. */
  runFor(milliseconds: number): Promise<void> {
    return letHappen(this, milliseconds);
  }

  // What actors do.

  /** Only one process has the session store at a time; the next one waits until the one before has exited. */
  boot(): void {
    if (this.#process) return;
    if (this.#last?.alive) return this.scheduler.after(500, 'boot', () => this.boot());
    this.#process = this.#last = new ServerProcess(++this.#processes, this);
    this.oracle.processBegan(this.#process);
    this.note(`p${this.#processes} begins`);
  }

  /** The process dies without a word. */
  crash(): void {
    const process = this.#process;
    if (!process) return;
    this.#process = undefined;
    this.#bury(process);
  }

  /** The process is asked to stop: it takes no more requests, answers those that it has, and exits. */
  stop(patienceMs: number): void {
    const process = this.#process;
    if (!process) return;
    this.#process = undefined;
    this.enter(process, () => {
      void process
        .beforeShutdown()
        .catch(() => undefined)
        .then(() => this.#shutDownWhenIdle(process));
    });
    this.scheduler.after(
      patienceMs,
      `p${process.number} is killed`,
      () => this.#bury(process),
      () => process.alive,
    );
  }

  /** Sends a request. Answers whether a process is up to take it. */
  visit(plan: Plan, onAnswer?: (answer: Answer) => void): boolean {
    const process = this.#process;
    if (!process) return false;
    const visit = new Visit(++this.#visits, plan, process, this.oracle, this.scheduler.now, onAnswer);
    this.#openVisits.add(visit);
    this.note(`visit ${visit.number}: ${JSON.stringify(plan)}`);
    this.enter(process, () => visit.begin());
    return true;
  }

  /** A socket, or a handler that knows nothing of the module, looks a session up. */
  readSession(sessionId: string): void {
    const process = this.#process;
    // Until the first request has shown where sessions are kept, nobody stands at the gate.
    if (!process || !Object.hasOwn(process.store, 'get')) return;
    this.enter(process, () => {
      process.store.get(sessionId, (_error, data) => {
        this.oracle.read(process, sessionId, data as VisitSession | undefined);
      });
    });
  }

  /** An administrator ends all sessions of a user. */
  revoke(user: string): void {
    const process = this.#process;
    if (!process) return;
    this.note(`${user} is revoked`);
    this.enter(process, () => {
      const revoked = this.oracle.revoking(process, user);
      void process.users.endAll(user, 'revoked').then(revoked);
    });
  }

  stepWallClock(milliseconds: number): void {
    this.#wallOffset += milliseconds;
    this.note(`the wall clock is set by ${milliseconds} ms`);
    this.oracle.clockStepped();
  }

  // What surrounds the processes.

  wall(): number {
    return EPOCH + this.scheduler.now + this.#wallOffset;
  }

  newSessionId(): string {
    return `s${++this.#sessionIds}`;
  }

  limitsFor(process: ServerProcess, request: SessionSecurityRequest): Limits | 'never' | undefined {
    const { session, sessionID } = request as { session?: VisitSession; sessionID?: string };
    const limits = this.userLimits.get(session?.user?.id ?? '');
    this.oracle.limitsAsked(
      process,
      sessionID ?? '',
      session?.user?.id,
      limits === 'never' ? NEVER : (limits ?? this.settings.limits),
    );
    return limits;
  }

  told(process: ServerProcess, event: AnySessionEvent): void {
    this.oracle.told(process, event);
  }

  enter(inhabitant: Inhabitant, run: () => void): void {
    this.#entering.push({ inhabitant, run });
  }

  note(what: string): void {
    this.trace.add(this.scheduler.now, what);
  }

  async finishTurns(): Promise<void> {
    for (let next = this.#entering.shift(); next; next = this.#entering.shift()) {
      const { inhabitant, run } = next;
      const turn = (callback: () => void): void =>
        this.scheduler.nextTurn(
          `${inhabitant.title} turns`,
          () => this.enter(inhabitant, callback),
          () => inhabitant.alive,
        );
      await runToRest(run, turn);
    }
  }

  #shutDownWhenIdle(process: ServerProcess): void {
    for (const visit of this.#openVisits) if (visit.isOver) this.#openVisits.delete(visit);
    const isBusy = [...this.#openVisits].some((visit) => visit.process === process);
    if (isBusy) return process.inside(100, 'waits for its visits', () => this.#shutDownWhenIdle(process));
    this.note(`p${process.number} shuts down`);
    this.oracle.processCloses(process);
    void process
      .shutdown()
      .catch(() => undefined)
      .then(() => this.#bury(process));
  }

  #bury(process: ServerProcess): void {
    if (!process.alive) return;
    process.die();
    this.note(`p${process.number} is dead`);
    this.oracle.processDied(process);
  }
}
