import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { SessionStatus } from '../../../lib/http/ping-answer.js';
import type { EndReason, Limits } from '../../../lib/index.js';
import type { Scheduler } from '../world/scheduler.js';
import type { ServerProcess } from '../world/server-process.js';
import type { SessionStorage } from '../world/session-storage.js';
import type { Settings } from '../world/settings.js';
import type { Visit, VisitWitness } from '../world/visit.js';
import { BrokenPromise, type Promised } from './broken-promise.js';
import { History } from './history.js';
import { type Claim, Life } from './life.js';
import { ProcessClocks } from './process-clocks.js';
import { recordIn, recordsIn, type StoredRecord } from './stored.js';

/** A tick is due every second, and a deadline is found at the first whole second after it. */
const FOUND_WITHIN_MS = 2000;
/** What could not be confirmed is tried again a second later. */
const TRIED_AGAIN_MS = 1000;
/** The calls to a calm store between a deadline and its event. */
const WORK_MS = 300;
/** More happens in no instant, unless somebody is caught in a loop. */
const STEPS_PER_INSTANT = 10_000;

/** What the oracle looks at besides what it is told. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly storage: SessionStorage;
  readonly settings: Settings;
  /** What the machine's wall clock shows. */
  wall(): number;
  /** Writes down what is seen. */
  note(what: string): void;
}

/** What a visit has to do with lives. */
interface Involvement {
  /** Whose life its handler found in the session. */
  servedAs?: Life;
  began?: Life;
  moves?: { readonly life: Life; readonly to: string };
  readonly claims: Claim[];
}

/**
 * Knows the true history of the world and holds the promises of the server side against everything that is seen: whom
 * handlers are run for, what the ping answers, what comes out of the session store, which events are told and when. It
 * shares no code with the engine; what it cannot know for certain, after crashes and while the store is in trouble, it
 * does not claim.
 */
export class Oracle implements VisitWitness {
  broken: BrokenPromise | undefined;
  readonly history = new History();
  readonly #clocks = new ProcessClocks();
  /** Since when processes are shutting down: they look at no deadline any more, and write what they know. */
  readonly #closingSince = new Map<ServerProcess, number>();
  readonly #involved = new Map<Visit, Involvement>();
  /** Checks that need to know all that happened in this instant. */
  readonly #atEndOfStep: (() => void)[] = [];
  /** By session id, as the application answered last. */
  readonly #limitsAsked = new Map<string, Limits>();
  readonly #eventIds = new Map<string, string>();
  #instant = 0;
  #stepsInInstant = 0;

  constructor(private readonly world: Surroundings) {}

  processBegan(process: ServerProcess): void {
    this.#clocks.begin(process, this.#at, this.world.wall());
    for (const life of this.history.lives) if (life.state === 'alive') life.mayBeFoundFrom(this.world.wall());
  }

  processCloses(process: ServerProcess): void {
    this.#closingSince.set(process, this.#at);
  }

  processDied(process: ServerProcess): void {
    this.#clocks.end(process);
    for (const life of this.history.lives) {
      // It may have died between writing the record and telling of it.
      if (life.state === 'beginning' && life.process === process.number) life.doubtful = life.murky = true;
      if (life.state === 'beginning') continue;
      const stored = this.#recordOf(life);
      life.formerWriter = stored?.writer;
      if (life.process === process.number) this.#survive(life, stored, this.#writtenUntil(process));
    }
  }

  clockStepped(): void {
    for (const process of this.#clocks.living) {
      for (const life of this.history.lives)
        if (process.number === life.process) life.foreseenSince = stamp(process);
    }
  }

  // What handlers, guard and ping did.

  served(visit: Visit): void {
    const { process, user, sessionId } = visit;
    this.world.note(`${titleOf(visit)} is served as ${user ?? 'nobody'} (${sessionId})`);
    if (user === undefined) return this.#turnedAway(visit);
    const life = this.#lifeServed(visit, user);
    if (!life) return this.#break('dead stays dead', `${user} was served and never signed in`);
    if (visit.beganAt > (life.givenUpAt.get(sessionId) ?? Infinity))
      this.#break('dead stays dead', `${life.title} was served under ${sessionId}, which had been given up`);
    this.#beginUntold(life, process, this.#recordOf(life));
    this.#mustLive(life, process, `was served by ${titleOf(visit)}`);
    this.#adopt(life, process);
    this.#involvementOf(visit).servedAs = life;
    life.doubtful = false;
    // A ping counts when it is answered.
    if (visit.plan.errand !== 'ping') this.#countActivity(life, visit);
  }

  refused(visit: Visit): void {
    this.world.note(`${titleOf(visit)} is refused`);
    this.#turnedAway(visit);
  }

  signedIn(visit: Visit): void {
    if (this.#isOutlived(visit, this.#involvementOf(visit).servedAs)) return;
    if (this.#isHereAlready(visit) || (visit.isLoose && visit.plan.errand !== 'signIn')) return;
    const isReused = visit.presentedId === visit.sessionId;
    this.#involvementOf(visit).began = this.#begin(
      visit.process.number,
      visit.plan.user!,
      visit.sessionId,
      isReused,
    );
  }

  /** A handler ends what lives under the visit's session id. */
  ending(visit: Visit, reason: 'logout' | 'replaced'): void {
    const { sessionId } = visit;
    const { servedAs } = this.#involvementOf(visit);
    if (visit.plan.errand === 'end' && visit.isLoose) this.#mayEnd(visit);
    if (visit.plan.errand === 'signIn' && visit.isLoose) return;
    if (visit.plan.errand === 'signInHere' && this.#isOutlived(visit, servedAs)) return;
    if (this.#isHereAlready(visit)) return;
    if (visit.plan.errand === 'forget' && this.history.bySessionId(sessionId) !== servedAs) return;
    const reasons: EndReason[] = reason === 'replaced' ? ['replaced', 'logout'] : ['logout'];
    // Where it lives on under other ids, each of them is ended in turn. And somebody is replaced when the new sign-in is
    // through: until then a new session id may still be a mere change of the id.
    // A request that is let in within the very instant was not too late.
    const isSettledLater = this.history.hasSuccessor(sessionId) || reason === 'replaced';
    if (visit.plan.errand === 'signIn') this.#giveUp(sessionId);
    const heirs = this.history.heirs(sessionId);
    for (const life of this.history.families(heirs)) {
      // What parallel rotations made of the same session ends with it, one after the other.
      const bindsFrom = isSettledLater || !heirs.includes(life) ? Infinity : this.#at + 0.5;
      const claim = this.#claim(life, { reasons, bindsFrom, dueFrom: Infinity });
      if (!claim) continue;
      this.#involvementOf(visit).claims.push(claim);
      if (visit.plan.errand === 'forget' || visit.plan.errand === 'signInHere') life.leavesSession = true;
      if (visit.plan.errand === 'signInHere' && life.givenUpAt.size > 0) life.murky = true;
      this.world.note(`${titleOf(visit)} ends ${life.title}: ${reason}`);
    }
  }

  /**
   * An administrator begins to end all sessions of a user, one after the other.
   *
   * @returns to be called when that is through: then those that were surely known are over.
   */
  revoking(process: ServerProcess, user: string): () => void {
    const lives = this.history.lives.filter((life) => life.user === user);
    const revoked = lives.map((life) => ({
      life,
      isKnown: life.process === process.number,
      claim: this.#claim(life, { reasons: ['revoked'], bindsFrom: Infinity, dueFrom: Infinity }),
    }));
    return () => {
      for (const { life, isKnown, claim } of revoked) {
        if (isKnown && claim) claim.bindsFrom = claim.dueFrom = this.#at;
        else life.claims = life.claims.filter((other) => other !== claim);
      }
    };
  }

  rotating(visit: Visit): void {
    const { sessionId, user } = visit;
    const life = this.history.bySessionId(sessionId, user) ?? this.history.bySessionId(sessionId);
    if (!life) return;
    this.#giveUp(sessionId);
    // Somebody signs in under the same id at the same time: whose session goes on is a matter of luck.
    if (life.reusesId || life.claims.length > 0) life.murky = true;
    life.moves++;
    this.#involvementOf(visit).moves = { life, to: '' };
  }

  rotated(visit: Visit, from: string, to: string): void {
    const { moves } = this.#involvementOf(visit);
    if (!moves) return;
    this.history.succeed(moves.life, from, to);
    this.#involvementOf(visit).moves = { life: moves.life, to };
  }

  pinged(visit: Visit, status: SessionStatus): void {
    const { process, presentedId, user } = visit;
    if (status.state === 'expired' || status.state === 'anonymous') return this.#turnedAway(visit);
    // What memory knows of a session that the store does not give out is told to who presents its cookie.
    const life = user === undefined ? this.history.livingUnder(presentedId) : this.#lifeServed(visit, user);
    if (!life) return this.#break('dead stays dead', `a ping answered ${status.state} for nobody`);
    this.#mustLive(life, process, `was told ${status.state} by a ping`);
    this.#adopt(life, process);
    if (user !== undefined && visit.plan.errand === 'ping') this.#countActivity(life, visit);
    const now = stamp(process);
    if (user === undefined || life.deadline(now) === Infinity || status.expireIn === null) return;
    const { expireIn } = status;
    const least = (life.deadline(life.earliest) - now) / 1000;
    // A request that shows activity in the same instant may have been counted already.
    this.#atEndOfStep.push(() => {
      const most = (life.deadline(life.latest) - now) / 1000;
      if (!life.murky && (expireIn < least - 0.01 || expireIn > most + 0.01))
        this.#break('never early', `the ping says ${expireIn} s are left, true are ${least} to ${most}`);
    });
  }

  limitsAsked(process: ServerProcess, sessionId: string, user: string | undefined, limits: Limits): void {
    this.#limitsAsked.set(sessionId, limits);
    const life = this.history.bySessionId(sessionId, user);
    if (!life || life.state === 'over' || life.claims.length > 0) return;
    const now = stamp(process);
    if (life.state === 'alive' && now >= life.deadline(this.#latestIn(life, process))) return;
    if (sameLimits(life.limits, limits)) return;
    if (life.state === 'alive') this.#adopt(life, process);
    life.limits = limits;
    life.foreseenSince = now;
    life.overdueSince = undefined;
    if (now < life.warning(life.latest)) life.warnedIn = undefined;
  }

  broke(visit: Visit, what: string): void {
    this.world.note(`${titleOf(visit)} breaks: ${what.split('\n', 1)[0]}`);
    if (!this.#troubledSince(visit.beganAt)) this.#break('no request breaks', `${titleOf(visit)}: ${what}`);
  }

  /** The handler and what came after it are through. */
  settled(visit: Visit): void {
    const { began, moves, claims } = this.#involvementOf(visit);
    for (const claim of claims) claim.bindsFrom = Math.min(claim.bindsFrom, this.#at);
    const isTroubled = this.#troubledSince(visit.beganAt);
    if (began && isTroubled) began.doubtful = began.murky = true;
    // A sign-in that could not be stored, or under an id that was given up, replaces nobody until the next request comes.
    const isLeft = claims.some((claim) => this.history.claimedBy(claim)?.givenUpAt.has(visit.sessionId));
    if (visit.plan.errand === 'signInHere' && (isTroubled || isLeft)) {
      for (const claim of claims) this.#withdraw(claim);
      if (began) began.murky = true;
    }
    if (!moves) return;
    const { life, to } = moves;
    life.moves--;
    if (isTroubled) life.doubtful = life.murky = true;
    if (this.history.bySessionId(to) !== life) return;
    life.sessionId = to;
    if (life.warnedAs !== this.history.referenceOf(to)) life.warnedIn = undefined;
    life.foreseenSince = stamp(visit.process);
  }

  /** The response is out: what the handler began is in the store, and the browser knows of it. */
  sent(visit: Visit): void {
    const { began } = this.#involvementOf(visit);
    if (began === undefined) return;
    began.visibleSince = this.#at;
    if (this.#troubledSince(visit.beganAt)) began.doubtful = began.murky = true;
    else if (began.state === 'beginning' && visit.plan.errand === 'signIn')
      this.#break('no request breaks', `${began.user} signed in and is not watched`);
  }

  over(visit: Visit): void {
    for (const claim of this.#involvementOf(visit).claims) claim.dueFrom = this.#at;
  }

  /** A socket or a raw handler read the session store. */
  read(process: ServerProcess, sessionId: string, data: { user?: { id: string } } | undefined): void {
    if (!data?.user) return;
    const life = this.history.bySessionId(sessionId, data.user.id);
    if (!life) return this.#break('dead stays dead', `the store gave out a session of nobody`);
    // What could not be moved to a new id, because the store failed, is there for whoever sees it for the first time.
    const isToBeSeen = life.state === 'over' && life.doubtful && life.sessionId === sessionId;
    if (life.state !== 'beginning' && !isToBeSeen) this.#mustLive(life, process, 'was read from the store');
  }

  // What the engine told.

  told(process: ServerProcess, event: AnySessionEvent): void {
    this.world.note(
      `p${process.number} tells ${event.kind} of ${event.userId} ${'reason' in event ? event.reason : ''}`,
    );
    this.#noteId(event);
    const life = this.#lifeOf(event, process);
    if (!life)
      return this.#break(
        'told once',
        `${event.kind} was told of a session that ${event.userId} did not begin`,
      );
    if (life.process !== process.number && life.state === 'over' && this.#troubledSince(life.overAt!))
      life.comeBack(event.lastActivityAt);
    if (event.kind !== 'start') this.#adopt(life, process);
    switch (event.kind) {
      case 'start':
        return this.#started(life, process, event);
      case 'warn':
        return this.#warned(life, process, event);
      case 'renew':
        life.renewals++;
        return;
      case 'expire':
        return this.#expired(life, process, event);
      case 'end':
        return this.#ended(life, process, event);
    }
  }

  // What must hold after every step.

  afterStep(): void {
    this.#checkPace();
    const fault = this.#clocks.fault(this.#at, this.world.wall());
    if (fault) this.#break('time never goes back', fault);
    for (const check of this.#atEndOfStep.splice(0)) check();
    for (const life of this.history.lives) {
      this.#checkRenewals(life);
      if (life.state !== 'alive') continue;
      const process = this.#clocks.living.find(({ number }) => number === life.process);
      if (process) this.#checkTold(life, process);
    }
  }

  /** At the end of the world, after all deadlines: everything is told, and nothing is left. */
  finish(process: ServerProcess): void {
    const { knowsStore, store } = this.world.settings;
    if (knowsStore && store.lists && recordsIn(this.world.storage).length > 0)
      this.#break(
        'nothing left behind',
        `records are still there: ${recordsIn(this.world.storage).join(', ')}`,
      );
    for (const life of this.history.lives) {
      if (life.process !== process.number) continue;
      if (life.state === 'alive' && !life.doubtful && !life.murky)
        this.#break('told once', `the end of ${life.title} was never told`);
      if (
        life.state !== 'beginning' &&
        !life.doubtful &&
        !life.murky &&
        life.beganAt >= this.#clocks.bornAt(process)
      )
        this.#checkGone(life);
    }
  }

  get #at(): number {
    return this.world.scheduler.now;
  }

  get #graceMs(): number {
    return this.world.settings.flushInterval * 1000;
  }

  #break(promised: Promised, what: string): void {
    this.broken ??= new BrokenPromise(promised, what);
  }

  #involvementOf(visit: Visit): Involvement {
    const involvement = this.#involved.get(visit) ?? { claims: [] };
    this.#involved.set(visit, involvement);
    return involvement;
  }

  #troubledSince(at: number): boolean {
    return this.world.storage.troubledUntil >= at;
  }

  #recordOf(life: Life): StoredRecord | undefined {
    return recordIn(this.world.storage, this.history.referenceOf(life.sessionId));
  }

  #begin(number: number, user: string, sessionId: string, isReused: boolean): Life {
    const count = this.history.lives.length + 1;
    const { limits } = this.world.settings;
    const life = new Life(count, user, sessionId, isReused, limits, number, this.#at);
    this.history.add(life);
    this.world.note(`${life.title} begins`);
    return life;
  }

  /** The instant, by the process's clock, at which a visit shows that somebody is there; none if it does not. */
  #activityOf({ plan, process }: Visit): number | undefined {
    const now = stamp(process);
    if (plan.errand === 'ping') return plan.idleFor === undefined ? undefined : now - plan.idleFor * 1000;
    const passive = ['poll', 'file', 'look', 'end', 'signInUnseen'].includes(plan.errand);
    return passive || plan.background ? undefined : now;
  }

  /** Whom a visit belongs to; one that goes on under another id, to any of those that go on there. */
  #lifeServed({ sessionId, isLoose }: Visit, user: string): Life | undefined {
    const life = this.history.bySessionId(sessionId, user);
    if (!life || life.state !== 'over' || !isLoose) return life;
    const heirs = this.history.heirs(sessionId);
    return heirs.find((heir) => heir.state === 'alive' && heir.user === user) ?? life;
  }

  #countActivity(life: Life, visit: Visit): void {
    const seenAt = this.#activityOf(visit);
    if (seenAt === undefined) return;
    // Of several ids under which the session goes on, the activity is counted under one.
    const heirs = visit.isLoose ? this.history.heirs(visit.sessionId) : [];
    if (heirs.length > 1) for (const heir of heirs) this.#mayHaveCounted(heir, visit);
    else this.#active(life, visit.process, seenAt);
  }

  #active(life: Life, process: ServerProcess, seenAt: number): void {
    if (seenAt <= life.earliest) return;
    const surelyMoves = seenAt > life.latest;
    life.active(seenAt, this.#at);
    life.overdueSince = undefined;
    if (surelyMoves && life.warnedIn === process.number && stamp(process) < life.warning(life.latest)) {
      life.warnedIn = undefined;
      life.renewalsDue++;
    }
  }

  /** Somebody is treated as signed in: their life must not be over in any way. */
  #mustLive(life: Life, process: ServerProcess, what: string): void {
    if (life.murky) return;
    if (life.state === 'beginning')
      this.#break('told once', `${life.title} ${what} and its start was not told`);
    if (life.state === 'over')
      this.#break('dead stays dead', `${life.title} ${what} and had ended at ${life.overAt}`);
    const claim = life.claims.find(({ bindsFrom }) => bindsFrom <= this.#at);
    if (claim)
      this.#break('dead stays dead', `${life.title} ${what} after ${claim.reasons[0]} at ${claim.bindsFrom}`);
    const [now, deadline] = [stamp(process), life.deadline(this.#latestIn(life, process))];
    if (now >= deadline)
      this.#break('never late', `${life.title} ${what} ${now - deadline} ms after its deadline`);
  }

  #adopt(life: Life, process: ServerProcess): void {
    life.adoptedBy(process.number, stamp(process), this.#graceMs);
  }

  #latestIn(life: Life, process: ServerProcess): number {
    return life.latestFor(process.number, stamp(process), this.#graceMs);
  }

  /** Somebody is treated as nobody: then no life may stand behind the cookie that was presented. */
  #turnedAway(visit: Visit): void {
    const { process, beganAt, presentedId } = visit;
    const life = this.history.bySessionId(presentedId);
    if (!life) return;
    if (this.#troubledSince(beganAt)) return this.#mayHaveCounted(life, visit);
    if (!life.isCertain || life.reusesId || life.sessionId !== presentedId || life.visibleSince > beganAt)
      return;
    const deadline = life.deadline(life.earliest);
    if (stamp(process) < deadline)
      this.#break(
        'never early',
        `${life.title} was turned away by ${titleOf(visit)}, and lives until ${deadline}`,
      );
  }

  /** A request whose session could not be read shows all the same that somebody is there. */
  #mayHaveCounted(life: Life, visit: Visit): void {
    const seenAt = this.#activityOf(visit);
    if (seenAt === undefined || life.state !== 'alive') return;
    life.latest = Math.max(life.latest, seenAt);
    life.wasExact = false;
  }

  /** Somebody signs out of a session that the store does not give out. */
  #mayEnd({ presentedId, beganAt }: Visit): void {
    const life = this.history.bySessionId(presentedId);
    if (life && this.#troubledSince(beganAt)) life.doubtful = life.murky = true;
  }

  /** What a handler changes in a session that has ended or changed its id meanwhile is not saved, so it changes nothing. */
  #isOutlived({ sessionId }: Visit, servedAs: Life | undefined): boolean {
    const present = this.history.bySessionId(sessionId);
    if (present === undefined) return false;
    if (present.givenUpAt.has(sessionId)) return true;
    return servedAs !== undefined && present !== servedAs;
  }

  /** A parallel request signed the same user in under the same session id: then they are one. */
  #isHereAlready({ sessionId, plan }: Visit): boolean {
    const present = this.history.bySessionId(sessionId);
    const isHere = plan.errand === 'signInHere' || plan.errand === 'signInUnseen';
    return isHere && present?.user === plan.user && present?.state !== 'over';
  }

  #giveUp(sessionId: string): void {
    const life = this.history.bySessionId(sessionId);
    if (life?.state !== 'alive' || life.givenUpAt.has(sessionId)) return;
    life.givenUpAt.set(sessionId, this.#at);
    this.world.note(`${sessionId} of ${life.title} is given up`);
  }

  #claim(life: Life, claim: Claim): Claim | undefined {
    if (life.state !== 'alive') return undefined;
    life.claims.push(claim);
    return claim;
  }

  #withdraw(claim: Claim): void {
    for (const life of this.history.lives) {
      if (!life.claims.includes(claim)) continue;
      life.claims = life.claims.filter((other) => other !== claim);
      life.doubtful = life.murky = true;
    }
  }

  #lifeOf(event: AnySessionEvent, process: ServerProcess): Life | undefined {
    const beginning = this.history.beginning(event.session, event.userId);
    if (event.kind === 'start') return beginning ?? this.#offspring(event, process);
    const life = this.history.ofEvent(event);
    if (life) return life;
    if (!beginning) return this.#foundInTheMurk(event, process);
    this.#beginUntold(beginning, process, event);
    return this.history.ofEvent(event);
  }

  /** A record that was written when nobody was left to tell of it: as the process died, or when the store had failed. */
  #foundInTheMurk(event: AnySessionEvent, process: ServerProcess): Life | undefined {
    const parent = this.history.lives.findLast(({ user, murky }) => murky && user === event.userId);
    if (!parent) return undefined;
    const life = this.#begin(process.number, parent.user, parent.sessionId, true);
    life.murky = true;
    life.state = 'alive';
    life.startedAt = event.startedAt;
    life.active(event.lastActivityAt, this.#at);
    return life;
  }

  /**
   * A life that nobody began by signing in. Parallel requests that gave up the same session id make two of one, and what
   * could not be moved to its new id, because the store failed, is seen there as if for the first time. Where several
   * people signed in under one session id, a request that read it before is taken for another sign-in.
   */
  #offspring({ session, userId }: AnySessionEvent, process: ServerProcess): Life | undefined {
    const lives = this.history.byReference(session);
    const parent = lives.findLast(({ user, murky }) => user === userId || murky);
    if (!parent) return undefined;
    const { moves } =
      [...this.#involved.values()].find(
        ({ moves }) => moves && this.history.referenceOf(moves.to) === session,
      ) ?? {};
    if (!moves) {
      const shared = lives.find(({ reusesId, murky }) => reusesId || murky);
      const life = shared && this.#begin(process.number, userId!, shared.sessionId, true);
      if (life) for (const each of [life, ...lives]) each.murky = true;
      return life;
    }
    const life = this.#begin(process.number, userId!, moves.to, false);
    life.limits = this.#limitsAsked.get(moves.to) ?? moves.life.limits;
    life.family = moves.life.family;
    life.claims = [...moves.life.claims];
    life.doubtful = life.murky = moves.life.murky || this.#troubledSince(this.#at);
    return life;
  }

  /** A failing store may keep the record of a start that it reported as failed, and so nobody was told. */
  #beginUntold(
    life: Life,
    process: ServerProcess,
    seen: { startedAt: number; lastActivityAt: number } | undefined,
  ): void {
    if (life.state !== 'beginning' || !life.doubtful || !seen) return;
    life.state = 'alive';
    life.startedAt = seen.startedAt;
    life.process = process.number;
    life.active(seen.lastActivityAt, this.#at);
    life.latest = stamp(process);
    life.foreseenSince = life.latest;
  }

  #started(life: Life, process: ServerProcess, event: AnySessionEvent): void {
    const now = stamp(process);
    if (event.startedAt > now) this.#break('time never goes back', `${life.title} starts in the future`);
    life.state = 'alive';
    life.startedAt = event.startedAt;
    life.process = process.number;
    life.active(event.lastActivityAt, this.#at);
    life.foreseenSince = now;
  }

  #warned(life: Life, process: ServerProcess, { dueAt, session }: { dueAt: number; session: string }): void {
    if (life.murky) return;
    const now = stamp(process);
    const [least, most] = [life.warning(life.earliest), life.warning(life.latest)];
    if (life.state === 'over') return this.#break('warned first', `${life.title} was warned after its end`);
    // Under another id it is warned anew.
    if (life.warnedIn === process.number && life.warnedAs === session)
      this.#break('warned first', `${life.title} was warned twice`);
    if (now < least) this.#break('warned first', `${life.title} was warned ${least - now} ms early`);
    if (dueAt < least || dueAt > most)
      this.#break(
        'warned first',
        `${life.title}: the warning names ${dueAt}, it was due at ${least} to ${most}`,
      );
    this.#checkPromptness(life, now);
    life.warnedIn = process.number;
    life.warnedAs = session;
  }

  /** A warning comes in time, or it warns of nothing. */
  #checkPromptness(life: Life, now: number): void {
    if (life.earliest !== life.latest || !life.isCertain) return;
    const late = now - Math.max(life.warning(life.latest), life.foreseenSince);
    if (late > FOUND_WITHIN_MS + WORK_MS && !this.#troubledSince(this.#at - late - WORK_MS))
      this.#break('warned first', `${life.title} was warned ${late} ms late`);
  }

  #expired(life: Life, process: ServerProcess, { dueAt, reason }: { dueAt: number; reason: string }): void {
    if (life.murky) return;
    const now = stamp(process);
    const [least, most] = [life.deadline(life.earliest), life.deadline(life.latest)];
    if (now < least)
      this.#break('never early', `${life.title} expired ${least - now} ms before its deadline`);
    if (dueAt < least || dueAt > most)
      this.#break(
        'told once',
        `${life.title}: ${dueAt} is told as its deadline, which was ${least} to ${most}`,
      );
    if (reason === 'idle' && this.#wasToBeWarned(life, process) && life.warnedIn !== process.number)
      this.#break('warned first', `${life.title} expired without a warning`);
  }

  /** It lived through its warning period, long enough to be found there, in a process that was up. */
  #wasToBeWarned(life: Life, process: ServerProcess): boolean {
    if (life.earliest !== life.latest) return false;
    const from = Math.max(life.warning(life.latest), life.foreseenSince);
    const sinceThen = stamp(process) - from;
    const isLong = life.deadline(life.latest) - from > FOUND_WITHIN_MS + WORK_MS;
    return isLong && !this.#troubledSince(this.#at - sinceThen - WORK_MS);
  }

  #ended(life: Life, process: ServerProcess, { reason }: { reason: EndReason }): void {
    if (!life.murky && (life.toldIn.has(process.number) || life.state === 'over'))
      return this.#break('told once', `the end of ${life.title} was told again`);
    const isTimeout = reason === 'idle' || reason === 'lifetime';
    // What failed to be removed may be found missing before it is tried again.
    const isOverdue = stamp(process) >= life.deadline(life.earliest);
    const isMissing = reason === 'revoked' && isOverdue && this.#troubledSince(this.#at);
    const isClaimed = isMissing || life.claims.some(({ reasons }) => reasons.includes(reason));
    // Giving up the id without taking the session along ends it.
    const isLeft = life.moves > 0 && (reason === 'logout' || reason === 'replaced');
    if (!isTimeout && !isClaimed && !isLeft && !life.doubtful && !life.murky && !life.reusesId)
      this.#break('never early', `${life.title} ended without cause: ${reason}`);
    life.toldIn.add(process.number);
    life.end(this.#at);
  }

  #checkPace(): void {
    this.#stepsInInstant = this.#instant === this.#at ? this.#stepsInInstant + 1 : 0;
    this.#instant = this.#at;
    if (this.#stepsInInstant > STEPS_PER_INSTANT)
      this.#break('time goes on', 'the event loop turns and turns, and nothing else gets a chance');
  }

  /** Activity that calls a warning off is told, at once and only then. */
  #checkRenewals(life: Life): void {
    const { renewals, renewalsDue } = life;
    const isOff =
      renewals < renewalsDue || (renewals > renewalsDue && life.wasExact && !this.#troubledSince(this.#at));
    if (isOff && !life.murky)
      this.#break('warned first', `${life.title}: ${renewals} of ${renewalsDue} renewals were told`);
    if (renewals > 0) life.warnedIn = undefined;
    life.renewals = life.renewalsDue = 0;
    life.wasExact = life.earliest === life.latest;
  }

  /** What is over by the clock or by somebody's doing must be told soon, if the store answers. */
  #checkTold(life: Life, process: ServerProcess): void {
    const written = life.formerWriter === undefined ? undefined : this.#recordOf(life);
    if (written) life.writtenBy(written.writer, written.lastActivityAt);
    if (this.#closingSince.has(process) || life.doubtful || life.murky) return;
    const claimed = Math.min(...life.claims.map(({ dueFrom }) => dueFrom));
    const isOverdue = stamp(process) >= life.deadline(life.latest);
    if (isOverdue && life.claims.length === 0) life.overdueSince ??= this.#at;
    const since = Math.min(claimed, life.overdueSince ?? Infinity);
    const allowed = FOUND_WITHIN_MS + TRIED_AGAIN_MS + WORK_MS;
    if (this.#at > Math.max(since, this.world.storage.troubledUntil) + allowed)
      this.#break('never late', `${life.title} is over since ${since} and nobody was told`);
  }

  /** World time until which all activity must be in the store, if it answers: a crash loses that of one flush interval. */
  #writtenUntil(process: ServerProcess): number {
    const closedAt = this.#closingSince.get(process);
    const until = closedAt ?? this.#at - this.#graceMs - FOUND_WITHIN_MS - WORK_MS;
    return this.#troubledSince(until) ? -Infinity : until;
  }

  /** What the store keeps over a crash decides what becomes of a life. */
  #survive(life: Life, stored: StoredRecord | undefined, writtenUntil: number): void {
    if (life.state === 'over') return this.#mayComeBack(life, stored);
    this.#mayBeTwo(life);
    if (life.moves > 0) life.murky = true;
    if (life.moves > 0 || life.claims.length > 0) life.doubtful = true;
    if (life.claims.length > 0 && life.moves === 0 && !stored) life.end(this.#at);
    else if (!stored || !sameLimits(stored.limits, life.limits)) life.doubtful = true;
    life.moves = 0;
    life.claims = [];
    const inStore = stored?.lastActivityAt ?? -Infinity;
    life.forgetSince(writtenUntil, inStore);
    life.earliest = Math.min(life.earliest, Math.max(life.latestKnown, inStore));
  }

  /** The process died between writing the record of a new session id and removing that of the old one. */
  #mayBeTwo(life: Life): void {
    const moves = [...this.#involved.values()].flatMap(({ moves }) =>
      moves?.life === life ? [moves.to] : [],
    );
    for (const sessionId of new Set([...life.givenUpAt.keys(), ...moves])) {
      if (sessionId === life.sessionId) continue;
      if (!recordIn(this.world.storage, this.history.referenceOf(sessionId))) continue;
      this.#begin(life.process, life.user, sessionId, life.reusesId).resume(life);
    }
  }

  /** An end that the store had not carried out when the process died is no end to the next one. */
  #mayComeBack(life: Life, stored: StoredRecord | undefined): void {
    if (!stored || stored.startedAt !== life.startedAt) return;
    if (!this.#troubledSince(life.overAt!))
      this.#break('nothing left behind', `the record of ${life.title} is still there`);
    life.comeBack(stored.lastActivityAt);
  }

  #checkGone(life: Life): void {
    const { sessionId } = life;
    if (this.history.bySessionId(sessionId) !== life) return;
    if (this.#recordOf(life))
      this.#break('nothing left behind', `the record of ${life.title} is still there`);
    if (!life.leavesSession && this.world.storage.read(sessionId)?.includes('"user"'))
      this.#break('nothing left behind', `the session of ${life.title} is still there`);
  }

  /** One id never stands for two things; the same thing told by another process has the same id. */
  #noteId({ id, kind, session, startedAt }: AnySessionEvent): void {
    if (kind === 'warn' || kind === 'renew') return;
    const meaning = `${kind} ${session} ${startedAt}`;
    const known = this.#eventIds.get(id);
    if (known !== undefined && known !== meaning)
      this.#break('told once', `${id} stands for ${known} and ${meaning}`);
    this.#eventIds.set(id, meaning);
  }
}

function stamp(process: ServerProcess): number {
  return process.clock.now();
}

function sameLimits(left: Limits, right: Limits): boolean {
  return (
    left.warnAfter === right.warnAfter &&
    left.expireAfter === right.expireAfter &&
    (left.maxLifetime ?? null) === (right.maxLifetime ?? null)
  );
}

function titleOf(visit: Visit): string {
  return `visit ${visit.number} (${visit.plan.errand})`;
}
