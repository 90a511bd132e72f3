import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import { RedisActivityStore } from '../../../lib/redis/index.js';
import { RedisModel } from '../../support/redis-model/redis-model.js';
import { letHappen } from '../world/course.js';
import { runToRest } from '../world/event-loop.js';
import { Random } from '../world/random.js';
import { Scheduler } from '../world/scheduler.js';
import { type Inhabitant, ServerProcess, type Shared, type Surroundings } from '../world/server-process.js';
import { SessionStorage } from '../world/session-storage.js';
import type { Trace } from '../world/trace.js';
import { type Answer, type Plan, Visit } from '../world/visit.js';
import { RedisLink, type RedisWeather } from './redis-link.js';
import type { Incumbent, Seat } from './seat.js';
import { SharedOracle } from './shared-oracle.js';
import { drawSharedSettings, type SharedSettings } from './shared-settings.js';

/** An arbitrary day, as Redis shows it when the world begins. */
const EPOCH = 1_700_000_000_000;
const SECRET = 'the secret of all processes of the world';
/** Calls to a calm session storage are never given up. */
const PATIENCE_MS = 5000;

/**
 * Several processes of the real engine over one Redis, which is modelled, and one storage of session data, which is calm.
 * Actors do things to it; the loop lets one thing happen after the other.
 */
export class SharedWorld implements Surroundings {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly storage: SessionStorage;
  readonly settings: SharedSettings;
  readonly model: RedisModel;
  readonly seats: readonly Seat[];
  readonly oracle: SharedOracle;
  /** The processes that are up. */
  readonly incumbents: Incumbent[] = [];
  #weather: RedisWeather = 'calm';
  #processes = 0;
  #visits = 0;
  #sessionIds = 0;
  readonly #openVisits = new Set<Visit>();
  #booting: Seat | undefined;
  /** Code that the present happening leads into. */
  #entering: { inhabitant: Inhabitant; run: () => void }[] = [];

  constructor(
    seed: number,
    private readonly trace: Trace,
  ) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random);
    this.settings = drawSharedSettings(this.random);
    this.storage = new SessionStorage(this.scheduler, this.random, PATIENCE_MS);
    this.model = new RedisModel(this.settings.shards, () => this.redisTime());
    this.seats = Array.from({ length: this.settings.processes }, (_, index) => ({
      number: index + 1,
      offsetMs: this.random.between(-600_000, 600_000) + EPOCH / 2,
      drift: this.random.pick([0, 0, 1e-4, -1e-4]),
    }));
    this.oracle = new SharedOracle(this);
    this.note(JSON.stringify(this.settings));
  }

  /** What Redis's clock shows, which is what counts. */
  redisTime(): number {
    return EPOCH + Math.floor(this.scheduler.now);
  }

  /** Lets happen what is to happen within a time, or until a promise is broken. */
  runFor(milliseconds: number): Promise<void> {
    return letHappen(this, milliseconds);
  }

  // What actors do.

  boot(seat: Seat): void {
    if (seat.process) return;
    const number = ++this.#processes;
    this.note(`p${number} begins in seat ${seat.number}`);
    let server: ServerProcess | undefined;
    const machine = {
      title: `p${number}`,
      get alive() {
        return server?.alive ?? true;
      },
    };
    this.enter(machine, () => {
      this.#booting = seat;
      server = new ServerProcess(number, this);
      const process = seat.process!;
      void server.opened.then(() => {
        process.listening = true;
        this.#recover(process, 0);
      });
    });
  }

  /** The process dies without a word. */
  crash(seat: Seat): void {
    const { process } = seat;
    if (!process) return;
    this.#bury(seat, process);
  }

  /** The process is asked to stop: it takes no more requests, answers those that it has, and exits. */
  stop(seat: Seat, patienceMs: number): void {
    const { process } = seat;
    if (!process || process.closing) return;
    process.closing = true;
    process.listening = false;
    process.wellSince = Infinity;
    const { server } = process;
    this.enter(server, () => {
      void server
        .beforeShutdown()
        .catch(() => undefined)
        .then(() => this.#shutDownWhenIdle(seat, process));
    });
    this.scheduler.after(
      patienceMs,
      `p${server.number} is killed`,
      () => this.#bury(seat, process),
      () => server.alive,
    );
  }

  /** The process stands still, as a virtual machine that is moved, or one that swaps. */
  freeze(process: Incumbent, milliseconds: number): void {
    this.note(`p${process.server.number} stands still for ${milliseconds} ms`);
    process.frozenUntil = Math.max(process.frozenUntil, this.scheduler.now + milliseconds);
    process.wellSince = Infinity;
    this.scheduler.after(milliseconds, `p${process.server.number} goes on`, () => this.#recover(process, 0));
    this.oracle.troubled();
  }

  /** What Redis is to everybody. */
  changeWeather(weather: RedisWeather): void {
    if (this.#weather === 'refused') this.model.forgetScripts();
    this.#weather = weather;
    for (const process of this.incumbents) this.changeLink(process, weather);
  }

  /** What Redis is to one process. */
  changeLink(process: Incumbent, weather: RedisWeather): void {
    this.note(`Redis is ${weather} to p${process.server.number}`);
    process.link.change(weather);
    process.wellSince = Infinity;
    const isCutOff = weather === 'stalled' || weather === 'refused';
    process.cutOffSince = isCutOff ? (process.cutOffSince ?? this.scheduler.now) : undefined;
    if (weather === 'calm') this.#recover(process, this.#afterEffectsMs);
    else this.oracle.troubled();
  }

  /** Sends a request, to any process that takes requests; answers whether there is one. */
  visit(plan: Plan, onAnswer?: (answer: Answer) => void): boolean {
    const listening = this.incumbents.filter((process) => process.listening);
    if (listening.length === 0) return false;
    const { server } = this.random.pick(listening);
    const visit = new Visit(++this.#visits, plan, server, this.oracle, this.scheduler.now, onAnswer);
    this.#openVisits.add(visit);
    this.note(`visit ${visit.number} of p${server.number}: ${JSON.stringify(plan)}`);
    this.enter(server, () => visit.begin());
    return true;
  }

  /** An administrator ends all sessions of a user, on any process. */
  revoke(user: string): void {
    const listening = this.incumbents.filter((process) => process.listening);
    if (listening.length === 0) return;
    const { server } = this.random.pick(listening);
    this.note(`${user} is revoked on p${server.number}`);
    this.oracle.revoking(user);
    this.enter(server, () => void server.users.endAll(user, 'revoked').catch(() => undefined));
  }

  // What surrounds the processes.

  wall(): number {
    return this.redisTime();
  }

  newSessionId(): string {
    return `s${++this.#sessionIds}`;
  }

  limitsFor(): undefined {
    return undefined;
  }

  share(server: ServerProcess): Shared {
    const seat = this.#booting!;
    const { commandTimeout, takeOverAfter, shards, grace } = this.settings;
    const link = new RedisLink(this.model, this.scheduler, this.random, server);
    link.change(this.#weather);
    const process: Incumbent = {
      server,
      link,
      listening: false,
      frozenUntil: 0,
      wellSince: Infinity,
      closing: false,
    };
    seat.process = process;
    this.incumbents.push(process);
    this.oracle.booted(process);
    return {
      store: new RedisActivityStore({ client: link.client, shards, commandTimeout, takeOverAfter }),
      secret: SECRET,
      grace,
      steady: () => this.scheduler.now * (1 + seat.drift) + seat.offsetMs,
      handle: (events) =>
        events.durable('recorder', async (event) => {
          const takesMs = this.random.chance(0.2) ? this.random.between(0, 800) : 0;
          if (takesMs > 0) await server.wait(takesMs, `handles ${event.kind}`);
          // Not of the second event of an entry: the first would come again with it.
          if (event.kind !== 'end' && this.random.chance(0.05)) throw new Error('the handler fails');
          this.oracle.handled(process, event);
        }),
    };
  }

  told(server: ServerProcess, event: AnySessionEvent): void {
    this.oracle.told(server, event);
  }

  enter(inhabitant: Inhabitant, run: () => void): void {
    const frozenUntil = this.incumbents.find(({ server }) => server === inhabitant)?.frozenUntil ?? 0;
    const standsMs = frozenUntil - this.scheduler.now;
    if (standsMs <= 0) return void this.#entering.push({ inhabitant, run });
    const goOn = (): void => this.enter(inhabitant, run);
    this.scheduler.after(standsMs, `${inhabitant.title} turns`, goOn, () => inhabitant.alive);
  }

  note(what: string): void {
    this.trace.add(this.scheduler.now, what);
  }

  /** A command that is still waited for when the weather clears is given up then, and after it another one. */
  get #afterEffectsMs(): number {
    return this.settings.commandTimeout * 2000;
  }

  #recover(process: Incumbent, inMs: number): void {
    const { link } = process;
    const isWell = process.listening && link.weather === 'calm' && process.frozenUntil <= this.scheduler.now;
    process.wellSince = isWell ? this.scheduler.now + inMs : Infinity;
  }

  async finishTurns(): Promise<void> {
    for (let next = this.#entering.shift(); next; next = this.#entering.shift()) {
      const { inhabitant, run } = next;
      const { alive, title } = inhabitant;
      if (!alive) continue;
      const isAlive = (): boolean => inhabitant.alive;
      const turn = (callback: () => void): void =>
        this.scheduler.nextTurn(`${title} turns`, () => this.enter(inhabitant, callback), isAlive);
      const after = (milliseconds: number, callback: () => void): (() => void) => {
        let waiting = true;
        this.scheduler.after(
          milliseconds,
          `${title} timer`,
          () => this.enter(inhabitant, () => waiting && callback()),
          () => waiting && inhabitant.alive,
        );
        return () => (waiting = false);
      };
      await runToRest(run, turn, { after, random: () => this.random.next() });
    }
  }

  #shutDownWhenIdle(seat: Seat, process: Incumbent): void {
    const { server } = process;
    for (const visit of this.#openVisits) if (visit.isOver) this.#openVisits.delete(visit);
    const isBusy = [...this.#openVisits].some((visit) => visit.process === server);
    if (isBusy)
      return server.inside(100, 'waits for its visits', () => this.#shutDownWhenIdle(seat, process));
    this.note(`p${server.number} shuts down`);
    void server
      .shutdown()
      .catch(() => undefined)
      .then(() => this.#bury(seat, process, true));
  }

  #bury(seat: Seat, process: Incumbent, inGoodOrder = false): void {
    const { server } = process;
    if (!server.alive) return;
    server.die();
    seat.process = undefined;
    this.incumbents.splice(this.incumbents.indexOf(process), 1);
    this.note(`p${server.number} is dead`);
    if (!inGoodOrder) this.oracle.troubled();
  }
}
