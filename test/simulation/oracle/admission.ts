import type { Limits } from '../../../lib/index.js';
import type { SessionStatus } from '../../../lib/http/ping-answer.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Visit } from '../world/visit.js';
import type { Life } from './life.js';
import { sameLimits, stamp, titleOf, type Truth } from './truth.js';

/** Never early, never late, dead stays dead: whom handlers are run for, what the ping answers, what the store gives out. */
export class Admission {
  /** Checks that need to know all that happened in this instant. */
  readonly #atEndOfStep: (() => void)[] = [];

  constructor(private readonly truth: Truth) {}

  afterStep(): void {
    for (const check of this.#atEndOfStep.splice(0)) check();
  }

  served(visit: Visit): void {
    const { process, user, sessionId } = visit;
    this.truth.world.note(`${titleOf(visit)} is served as ${user ?? 'nobody'} (${sessionId})`);
    if (user === undefined) return this.#turnedAway(visit);
    const life = this.#lifeServed(visit, user);
    if (!life) return this.truth.break('dead stays dead', `${user} was served and never signed in`);
    if (visit.beganAt > (life.givenUpAt.get(sessionId) ?? Infinity))
      this.truth.break(
        'dead stays dead',
        `${life.title} was served under ${sessionId}, which had been given up`,
      );
    this.truth.beginUntold(life, process, this.truth.recordOf(life));
    this.#mustLive(life, process, `was served by ${titleOf(visit)}`);
    this.truth.adopt(life, process);
    this.truth.involvementOf(visit).servedAs = life;
    life.doubtful = false;
    // A ping counts when it is answered.
    if (visit.plan.errand !== 'ping') this.#countActivity(life, visit);
  }

  refused(visit: Visit): void {
    this.truth.world.note(`${titleOf(visit)} is refused`);
    this.#turnedAway(visit);
  }

  pinged(visit: Visit, status: SessionStatus): void {
    const { process, presentedId, user } = visit;
    if (status.state === 'expired' || status.state === 'anonymous') return this.#turnedAway(visit);
    // What memory knows of a session that the store does not give out is told to who presents its cookie.
    const life =
      user === undefined ? this.truth.history.livingUnder(presentedId) : this.#lifeServed(visit, user);
    if (!life) return this.truth.break('dead stays dead', `a ping answered ${status.state} for nobody`);
    this.#mustLive(life, process, `was told ${status.state} by a ping`);
    this.truth.adopt(life, process);
    if (user !== undefined && visit.plan.errand === 'ping') this.#countActivity(life, visit);
    const now = stamp(process);
    if (user === undefined || life.latestDeadline(now) === Infinity || status.expireIn === null) return;
    const { expireIn } = status;
    const least = (life.soonestDeadline() - now) / 1000;
    // A request that shows activity in the same instant may have been counted already.
    this.#atEndOfStep.push(() => {
      const most = (life.latestDeadline() - now) / 1000;
      if (!life.murky && (expireIn < least - 0.01 || expireIn > most + 0.01))
        this.truth.break('never early', `the ping says ${expireIn} s are left, true are ${least} to ${most}`);
    });
  }

  /** A socket or a raw handler read the session store. */
  read(process: ServerProcess, sessionId: string, data: { user?: { id: string } } | undefined): void {
    if (!data?.user) return;
    const life = this.truth.history.bySessionId(sessionId, data.user.id);
    if (!life) return this.truth.break('dead stays dead', `the store gave out a session of nobody`);
    // What could not be moved to a new id, because the store failed, is there for whoever sees it for the first time.
    const isToBeSeen = life.state === 'over' && life.doubtful && life.sessionId === sessionId;
    // Shorter limits that another request has brought in this very instant come too late for what is on its way.
    const isShortened = life.foreseenSince === stamp(process);
    if (life.state !== 'beginning' && !isToBeSeen && !isShortened)
      this.#mustLive(life, process, 'was read from the store');
  }

  limitsAsked(process: ServerProcess, sessionId: string, user: string | undefined, limits: Limits): void {
    this.truth.limitsAsked.set(sessionId, limits);
    const life = this.truth.history.bySessionId(sessionId, user);
    if (!life || life.state === 'over' || life.claims.some(({ bindsFrom }) => bindsFrom <= this.truth.at))
      return;
    const now = stamp(process);
    if (life.state === 'alive' && now >= life.latestDeadline(this.truth.latestIn(life, process))) return;
    if (sameLimits(life.limits, limits)) return;
    if (life.state === 'alive') this.truth.adopt(life, process);
    life.limits = limits;
    life.foreseenSince = now;
    life.overdueSince = undefined;
    if (life.warnedIn === process.number && now < life.soonestWarning) this.#calledOff(life);
  }

  /** The instant, by the process's clock, at which a visit shows that somebody is there; none if it does not. */
  #activityOf({ plan, process }: Visit): number | undefined {
    const now = stamp(process);
    // In whole milliseconds, of which nobody loses a part.
    if (plan.errand === 'ping')
      return plan.idleFor === undefined ? undefined : Math.ceil(now - plan.idleFor * 1000);
    const passive = ['poll', 'file', 'look', 'end', 'signInUnseen'].includes(plan.errand);
    return passive || plan.background ? undefined : now;
  }

  /** Whom a visit belongs to; one that goes on under another id, to any of those that go on there. */
  #lifeServed({ sessionId, isLoose }: Visit, user: string): Life | undefined {
    const life = this.truth.history.bySessionId(sessionId, user);
    if (!life || life.state !== 'over' || !isLoose) return life;
    const heirs = this.truth.history.heirs(sessionId);
    return heirs.find((heir) => heir.state === 'alive' && heir.user === user) ?? life;
  }

  #countActivity(life: Life, visit: Visit): void {
    const seenAt = this.#activityOf(visit);
    if (seenAt === undefined) return;
    // Of several ids under which the session goes on, the activity is counted under one.
    const heirs = visit.isLoose ? this.truth.history.heirs(visit.sessionId) : [];
    if (heirs.length > 1) for (const heir of heirs) this.#mayHaveCounted(heir, visit);
    else this.#active(life, visit.process, seenAt);
  }

  #active(life: Life, process: ServerProcess, seenAt: number): void {
    if (seenAt <= life.earliest) return;
    const surelyMoves = seenAt > life.latest;
    life.active(seenAt, this.truth.at);
    life.overdueSince = undefined;
    if (surelyMoves && life.warnedIn === process.number && stamp(process) < life.latestWarning)
      this.#calledOff(life);
  }

  /** A warning is called off, which is to be told. */
  #calledOff(life: Life): void {
    life.warnedIn = undefined;
    // Under another id it is warned anew (C6): while the id changes, there may be nothing yet to call off.
    if (life.moves > 0) life.wasExact = false;
    else life.renewalsDue++;
  }

  /** Somebody is treated as signed in: their life must not be over in any way. */
  #mustLive(life: Life, process: ServerProcess, what: string): void {
    if (life.murky) return;
    if (life.state === 'beginning')
      this.truth.break('told once', `${life.title} ${what} and its start was not told`);
    if (life.state === 'over')
      this.truth.break('dead stays dead', `${life.title} ${what} and had ended at ${life.overAt}`);
    const claim = life.claims.find(({ bindsFrom }) => bindsFrom <= this.truth.at);
    if (claim)
      this.truth.break(
        'dead stays dead',
        `${life.title} ${what} after ${claim.reasons[0]} at ${claim.bindsFrom}`,
      );
    const [now, deadline] = [stamp(process), life.latestDeadline(this.truth.latestIn(life, process))];
    if (now >= deadline)
      this.truth.break('never late', `${life.title} ${what} ${now - deadline} ms after its deadline`);
  }

  /** Somebody is treated as nobody: then no life may stand behind the cookie that was presented. */
  #turnedAway(visit: Visit): void {
    const { process, beganAt, presentedId } = visit;
    const life = this.truth.history.bySessionId(presentedId);
    if (!life) return;
    if (this.truth.troubledSince(beganAt)) return this.#mayHaveCounted(life, visit);
    // A removal of before its start that the store carried out late may have taken its record.
    const isVague = !life.isCertain || life.murky || life.reusesId;
    if (isVague || life.sessionId !== presentedId || life.visibleSince > beganAt) return;
    const deadline = life.soonestDeadline();
    if (stamp(process) < deadline)
      this.truth.break(
        'never early',
        `${life.title} was turned away by ${titleOf(visit)}, and lives until ${deadline}`,
      );
  }

  /** A request whose session could not be read shows all the same that somebody is there. */
  #mayHaveCounted(life: Life, visit: Visit): void {
    const seenAt = this.#activityOf(visit);
    if (seenAt === undefined || life.state !== 'alive') return;
    life.maybeActive(seenAt);
    life.wasExact = false;
  }
}
