import type { EndReason } from '../../../lib/index.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Visit } from '../world/visit.js';
import type { Claim, Life } from './life.js';
import { stamp, titleOf, type Truth } from './truth.js';

/** Follows what handlers do to lives: who signs in, out and over, and whose session changes its id. */
export class Deeds {
  constructor(private readonly truth: Truth) {}

  signedIn(visit: Visit): void {
    const { servedAs } = this.truth.involvementOf(visit);
    if (this.#isOutlived(visit, servedAs) || this.#isSignedOut(visit, servedAs)) return;
    if (this.#isHereAlready(visit) || (visit.isLoose && visit.plan.errand !== 'signIn')) return;
    const isReused = visit.presentedId === visit.sessionId;
    this.truth.involvementOf(visit).began = this.truth.begin(
      visit.process.number,
      visit.plan.user!,
      visit.sessionId,
      isReused,
    );
  }

  /** A handler ends what lives under the visit's session id. */
  ending(visit: Visit, reason: 'logout' | 'replaced'): void {
    const { sessionId } = visit;
    const { servedAs } = this.truth.involvementOf(visit);
    if (visit.plan.errand === 'end' && visit.isLoose) this.#mayEnd(visit);
    if (visit.plan.errand === 'logOut' && visit.isLoose) this.#mayEndMoved(visit);
    if (visit.plan.errand === 'signIn' && visit.isLoose)
      return this.#mayEndMoved(visit, ['replaced', 'logout']);
    if (visit.plan.errand === 'signInHere' && this.#isOutlived(visit, servedAs)) return;
    if (this.#isHereAlready(visit)) return;
    if (visit.plan.errand === 'forget' && this.truth.history.bySessionId(sessionId) !== servedAs) return;
    const reasons: EndReason[] = reason === 'replaced' ? ['replaced', 'logout'] : ['logout'];
    // Where it lives on under other ids, each of them is ended in turn. And somebody is replaced when the new sign-in is
    // through: until then a new session id may still be a mere change of the id.
    // A request that is let in within the very instant was not too late.
    const isSettledLater = this.truth.history.hasSuccessor(sessionId) || reason === 'replaced';
    if (visit.plan.errand === 'signIn') this.#giveUp(sessionId);
    const isSignOut = visit.plan.errand === 'logOut' || visit.plan.errand === 'end';
    const heirs = this.truth.history.heirs(sessionId);
    const families = [servedAs, this.truth.history.bySessionId(sessionId)].map((life) => life?.family);
    for (const life of this.truth.history.families(heirs)) {
      // What parallel rotations made of the same session ends with it, one after the other.
      const bindsFrom = isSettledLater || !heirs.includes(life) ? Infinity : this.truth.at + 0.5;
      const claim = { reasons, bindsFrom, dueFrom: Infinity, keepsId: visit.plan.errand === 'forget' };
      // Who has signed in since, under an id that was made of this one, has nothing to do with the session of before.
      if (!families.includes(life.family)) continue;
      // To sign out is to destroy whatever the session's id leads to, as the session library itself would: who is just
      // signing in there has no session either. The id is dead from then on, and nobody can begin under it.
      if (isSignOut && life.state === 'beginning') life.claims.push(claim);
      else if (!this.#claim(life, claim)) continue;
      this.truth.involvementOf(visit).claims.push(claim);
      if (visit.plan.errand === 'forget' || visit.plan.errand === 'signInHere') life.leavesSession = true;
      if (visit.plan.errand === 'signInHere' && life.givenUpAt.size > 0) life.murky = true;
      this.truth.world.note(`${titleOf(visit)} ends ${life.title}: ${reason}`);
    }
  }

  /**
   * An administrator begins to end all sessions of a user, one after the other.
   *
   * @returns to be called when that is through: then those that were surely known are over.
   */
  revoking(process: ServerProcess, user: string): () => void {
    const lives = this.truth.history.lives.filter((life) => life.user === user && life.state !== 'over');
    const [begunAt, now] = [this.truth.at, stamp(process)];
    this.truth.revokedAt.set(user, Math.max(now, this.truth.revokedAt.get(user) ?? -Infinity));
    const revoked = lives.map((life) => {
      const claim: Claim = { reasons: ['revoked'], bindsFrom: Infinity, dueFrom: Infinity };
      life.claims.push(claim);
      return {
        life,
        claim,
        isBeginning: life.state === 'beginning',
        isKnown: life.process === process.number,
        // By a clock that has been set back, it may begin only later.
        isEarlier: life.startedBy < now,
      };
    });
    return () => {
      const isKept = Object.hasOwn(process.store, 'get') && !this.truth.troubledSince(begunAt);
      for (const { life, claim, isBeginning, isKnown, isEarlier } of revoked) {
        // Its sign-in may have been on its way, and ends with the others, or not even there, and goes on.
        if (isBeginning) life.claims = life.claims.filter((other) => other !== claim);
        else if (isKnown) claim.bindsFrom = claim.dueFrom = this.truth.at;
        // A session that its process does not know ends when it is found, by this process or, if the store could be told, by
        // one after it. That is late, and never too late: it is served to nobody before.
        else if (isKept && isEarlier) claim.bindsFrom = this.truth.at;
      }
    };
  }

  rotating(visit: Visit): void {
    const { sessionId, user } = visit;
    // What goes on with a session under its new id has no id of its own to give up: the session stays where it is (C6).
    if (visit.isLoose) return;
    const life = this.truth.history.bySessionId(sessionId, user) ?? this.truth.history.bySessionId(sessionId);
    if (!life) return;
    this.#giveUp(sessionId);
    // Somebody signs in under the same id at the same time: whose session goes on is a matter of luck.
    if (life.reusesId || life.claims.length > 0) life.murky = true;
    life.moves++;
    this.truth.involvementOf(visit).moves = { life, to: '' };
  }

  rotated(visit: Visit, from: string, to: string): void {
    const { moves } = this.truth.involvementOf(visit);
    if (!moves) return;
    this.truth.history.succeed(moves.life, from, to);
    this.truth.involvementOf(visit).moves = { life: moves.life, to };
  }

  /** The handler and what came after it are through. */
  settled(visit: Visit): void {
    const { began, moves, claims, claimsOfMoved } = this.truth.involvementOf(visit);
    for (const claim of claims) claim.bindsFrom = Math.min(claim.bindsFrom, this.truth.at);
    for (const claim of claimsOfMoved) claim.bindsFrom = claim.dueFrom = this.truth.at;
    const isTroubled = this.truth.troubledSince(visit.beganAt);
    if (began && isTroubled) began.doubtful = began.murky = true;
    // A sign-in that could not be stored, or under an id that was given up, replaces nobody until the next request comes.
    const isLeft = claims.some((claim) =>
      this.truth.history.claimedBy(claim)?.givenUpAt.has(visit.sessionId),
    );
    if (visit.plan.errand === 'signInHere' && (isTroubled || isLeft)) {
      for (const claim of claims) this.#withdraw(claim);
      if (began) began.murky = true;
    }
    if (!moves) return;
    const { life, to } = moves;
    life.moves--;
    if (isTroubled) life.doubtful = life.murky = true;
    if (this.truth.history.bySessionId(to) !== life) return;
    life.sessionId = to;
    if (life.warnedAs !== this.truth.history.referenceOf(to)) life.warnedIn = undefined;
    life.foreseenSince = stamp(visit.process);
  }

  /** The response is out: what the handler began is in the store, and the browser knows of it. */
  sent(visit: Visit): void {
    const { began, servedAs } = this.truth.involvementOf(visit);
    if (began === undefined) return;
    began.visibleSince = this.truth.at;
    const isOvertaken = this.#isBeingSignedOut(visit, servedAs);
    if (isOvertaken || this.truth.troubledSince(visit.beganAt)) began.doubtful = began.murky = true;
    else if (began.state === 'beginning' && visit.plan.errand === 'signIn')
      this.truth.break('no request breaks', `${began.user} signed in and is not watched`);
  }

  over(visit: Visit): void {
    for (const claim of this.truth.involvementOf(visit).claims) claim.dueFrom = this.truth.at;
  }

  /**
   * Somebody signs out of a session that the store does not give out: it ends, if memory knows it, and with it what
   * parallel rotations made of the same session (C6).
   */
  #mayEnd(visit: Visit): void {
    const { history } = this.truth;
    const life = history.bySessionId(visit.presentedId);
    if (!life) return;
    this.#mayEndMoved(visit);
    if (!this.truth.troubledSince(visit.beganAt)) return;
    for (const each of history.families(history.heirs(life.sessionId))) each.doubtful = true;
    life.doubtful = life.murky = true;
  }

  /**
   * Somebody signs out, or in, with the cookie of before a change of the id: what goes on under other ids ends when the handler is
   * through, unless its process has died since and nobody knows of the change any more, or the request has passed by the
   * gate, as the first one may.
   */
  #mayEndMoved(visit: Visit, reasons: EndReason[] = ['logout']): void {
    const { clocks, history, world } = this.truth;
    const { presentedId } = visit;
    if (presentedId === undefined) return;
    const heirs = history.heirs(presentedId);
    if (!heirs.some(({ givenUpAt }) => givenUpAt.has(presentedId))) return;
    for (const life of history.families(heirs)) {
      const claim = this.#claim(life, { reasons, bindsFrom: Infinity, dueFrom: Infinity });
      const changedAt = life.givenUpAt.get(presentedId) ?? -Infinity;
      const isKnown = changedAt >= clocks.bornAt(visit.process) && world.settings.knowsStore;
      if (claim && isKnown) this.truth.involvementOf(visit).claimsOfMoved.push(claim);
    }
  }

  /** What a handler changes in a session that has ended or changed its id meanwhile is not saved, so it changes nothing. */
  #isOutlived({ sessionId, beganAt }: Visit, servedAs: Life | undefined): boolean {
    const present = this.truth.history.bySessionId(sessionId);
    if (present === undefined) return false;
    if (present.givenUpAt.has(sessionId)) return true;
    // Of two who signed in at once the first may have been written last: then nothing is left of the other.
    const isOverwritten = present.state === 'beginning' && present.visibleSince < beganAt;
    return servedAs !== undefined && present !== servedAs && !isOverwritten;
  }

  /** Who was signed out while a handler ran, and signs in there under another id, has to do so again. */
  #isSignedOut({ plan }: Visit, servedAs: Life | undefined): boolean {
    const { user, endReason } = servedAs ?? {};
    const isWanted = endReason === 'logout' || endReason === 'revoked';
    return plan.errand === 'signIn' && user === plan.user && isWanted;
  }

  /** As {@link #isSignedOut}, where that is under way: which of the two comes first is a matter of luck. */
  #isBeingSignedOut(visit: Visit, servedAs: Life | undefined): boolean {
    if (servedAs === undefined || servedAs.user !== visit.plan.user) return false;
    const { claims } = this.truth.involvementOf(visit);
    const others = servedAs.claims.filter((claim) => !claims.includes(claim));
    return (
      this.#isSignedOut(visit, servedAs) ||
      others.some(({ reasons }) => reasons.includes('logout') || reasons.includes('revoked'))
    );
  }

  /**
   * A parallel request signed the same user in under the same session id: then they are one. Of two who signed in at once
   * the one that is watched may be the first; of the other nothing may be left.
   */
  #isHereAlready({ sessionId, plan }: Visit): boolean {
    if (plan.errand !== 'signInHere' && plan.errand !== 'signInUnseen') return false;
    const { history } = this.truth;
    const present = [history.bySessionId(sessionId), history.livingUnder(sessionId)];
    return present.some((life) => life?.user === plan.user && life?.state !== 'over');
  }

  /**
   * Who lives under the id; not who is just signing in there, and will find it given up (C6). Nor who has just signed out
   * and left the id to whoever comes: where that is not worked off yet, a change of the id finds nobody any more whose id
   * it could take away, and the id stays in use.
   */
  #giveUp(sessionId: string): void {
    const life = this.truth.history.livingUnder(sessionId);
    if (life?.state !== 'alive' || life.givenUpAt.has(sessionId)) return;
    if (life.claims.some(({ keepsId }) => keepsId)) return;
    life.givenUpAt.set(sessionId, this.truth.at);
    this.truth.world.note(`${sessionId} of ${life.title} is given up`);
  }

  #claim(life: Life, claim: Claim): Claim | undefined {
    if (life.state !== 'alive') return undefined;
    life.claims.push(claim);
    return claim;
  }

  #withdraw(claim: Claim): void {
    for (const life of this.truth.history.lives) {
      if (!life.claims.includes(claim)) continue;
      life.claims = life.claims.filter((other) => other !== claim);
      life.doubtful = life.murky = true;
    }
  }
}
