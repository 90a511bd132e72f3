import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import type { SessionStatus } from '../../../lib/http/ping-answer.js';
import type { EndReason } from '../../../lib/index.js';
import type { ModelEntry } from '../../support/redis-model/shard-model.js';
import { BrokenPromise, type Promised } from '../oracle/broken-promise.js';
import type { ServerProcess } from '../world/server-process.js';
import type { Visit, VisitWitness } from '../world/visit.js';
import { KnownSession } from './known-session.js';
import type { Incumbent } from './seat.js';
import type { SharedWorld } from './shared-world.js';

/** Two looks a second, and the calls of one. */
const FOUND_WITHIN_MS = 700;
/** Ends are heard with the next look. */
const HEARD_WITHIN_MS = 1000;
/** What a request that was served an instant ago may still be waiting for. */
const ACTIVE = ['view', 'write'];
/** The longest that a request takes, and a little more. */
const SIGNED_OUT_WITHIN_MS = 10_000;
const TIMEOUTS: readonly EndReason[] = ['idle', 'lifetime'];

/**
 * Knows what truly happened to each sign-in, by what handlers saw and by what lies in the Redis of the world, and holds
 * the promises of several processes against it. It shares no code with the engine. What it cannot know for certain it
 * does not claim: where Redis failed while a session began, and where memory alone knew of activity and was lost.
 */
export class SharedOracle implements VisitWitness {
  broken: BrokenPromise | undefined;
  readonly #sessions: KnownSession[] = [];
  readonly #byReference = new Map<string, KnownSession>();
  readonly #bySessionId = new Map<string, KnownSession>();
  /** The last entry seen of each shard's stream. */
  readonly #seen = new Map<number, string>();
  readonly #eventIds = new Map<string, string>();
  /** Something went wrong at this instant, so that an event may be handled again. */
  #troubledAt = -Infinity;
  readonly #clocks = new Map<ServerProcess, number>();
  /** Who has been answered to a sign-out. */
  #signedOut: { readonly session: KnownSession; readonly begunAt: number }[] = [];
  /** Ends that every process that is well has still to hear of. */
  #news: KnownSession[] = [];

  constructor(private readonly world: SharedWorld) {}

  bySessionId(sessionId: string | undefined): KnownSession | undefined {
    return sessionId === undefined ? undefined : this.#bySessionId.get(sessionId);
  }

  // What becomes of processes.

  booted({ server }: Incumbent): void {
    this.#clocks.set(server, -Infinity);
  }

  /** A process died or stood still, or Redis did. */
  troubled(): void {
    this.#troubledAt = this.#now;
    const well = new Set(
      this.world.incumbents
        .filter(({ frozenUntil }) => frozenUntil <= this.#now)
        .map(({ server }) => server.number),
    );
    for (const session of this.#sessions)
      if (session.trustedBy !== undefined && !well.has(session.trustedBy)) session.forgotten = true;
  }

  // What handlers, guard and ping did.

  served(visit: Visit): void {
    const session = this.#bySessionId.get(visit.sessionId);
    if (!session || visit.user === undefined) return;
    // The guard has judged between then and now.
    const judgedFrom = visit.beganAt + visit.plan.gapMs;
    this.#requireAlive(session, visit, judgedFrom);
    if (ACTIVE.includes(visit.plan.errand) && !visit.plan.background)
      this.#accept(session, visit, judgedFrom);
  }

  refused(): void {
    // Nobody is promised an answer while Redis is away; who is over is told so.
  }

  pinged(visit: Visit, status: SessionStatus): void {
    const session = this.#bySessionId.get(visit.sessionId);
    const { errand, idleFor, gapMs } = visit.plan;
    if (!session || (status.state !== 'active' && status.state !== 'warning')) return;
    if (errand !== 'ping' || idleFor === undefined) return;
    this.#accept(session, visit, visit.beganAt + gapMs - Math.floor(idleFor * 1000));
  }

  signedIn(visit: Visit): void {
    const { sessionId, process } = visit;
    const reference = process.references.ofSession(sessionId);
    const session = new KnownSession(sessionId, reference, visit.user!, this.#now);
    this.#sessions.push(session);
    this.#byReference.set(reference, session);
    this.#bySessionId.set(sessionId, session);
    this.world.note(`${session.title} signs in`);
  }

  ending(visit: Visit, reason: 'logout' | 'replaced'): void {
    // A session that cannot be read is not known by its own id.
    const session = this.#bySessionId.get(visit.sessionId) ?? this.bySessionId(visit.presentedId);
    if (!session) return;
    session.claims.add(reason);
    // Who gives the id up and gets no other has left.
    if (reason === 'replaced') session.claims.add('logout');
    if (reason === 'logout') session.signedOutOn.set(visit.process.number, this.#now);
  }

  revoking(user: string): void {
    for (const session of this.#sessions) if (session.user === user) session.claims.add('revoked');
  }

  rotating(): void {
    // Nobody rotates ids in these stories.
  }

  rotated(): void {
    // See above.
  }

  settled(visit: Visit): void {
    const session = this.#bySessionId.get(visit.sessionId);
    const began = session && visit.plan.errand === 'signIn';
    if (began && (session.startedAt === undefined || this.#troubledSince(visit.beganAt)))
      session.doubtful = true;
  }

  sent(): void {
    // What matters has been seen in `settled`.
  }

  over(visit: Visit): void {
    const session = this.#bySessionId.get(visit.presentedId ?? '');
    const isSignOut = visit.plan.errand === 'logOut' || visit.plan.errand === 'end';
    if (!isSignOut || !session?.claims.has('logout') || visit.plan.abortedInMs !== undefined) return;
    if (session.startedAt !== undefined) this.#signedOut.push({ session, begunAt: visit.beganAt });
  }

  broke(visit: Visit, what: string): void {
    this.#break('no request breaks', `visit ${visit.number} (${visit.plan.errand}): ${what}`);
  }

  // What was told.

  /** A process has heard of it. */
  told(process: ServerProcess, { kind, session: reference }: AnySessionEvent): void {
    const session = this.#byReference.get(reference);
    if (kind !== 'end' || !session || session.doubtful) return;
    if (session.toldBy.has(process.number))
      this.#break('told once', `p${process.number} heard twice of the end of ${session.title}`);
    session.toldBy.add(process.number);
  }

  /** A member of the group has handled it. */
  handled({ server }: Incumbent, { id, kind, session: reference }: AnySessionEvent): void {
    this.world.note(`p${server.number} has handled ${kind} of ${reference}`);
    const session = this.#byReference.get(reference);
    if (!session) return this.#break('told once', `${kind} was handled of a session that nobody began`);
    if (session.doubtful) return void session.handled.set(kind, { id, count: 1 });
    if (kind === 'end' && session.endedAt === undefined)
      return this.#break('told once', `the end of ${session.title} was handled before it was recorded`);
    if (kind !== 'end' && kind !== 'expire' && kind !== 'start') return;
    const meaning = `${kind} of ${session.title}`;
    const known = session.handled.get(kind) ?? { id, count: 0 };
    session.handled.set(kind, known);
    known.count++;
    if (known.id !== id || (this.#eventIds.get(id) ?? meaning) !== meaning)
      this.#break('told once', `${meaning} came as ${known.id} and as ${id}`);
    this.#eventIds.set(id, meaning);
    if (known.count > 1 && this.#troubledAt === -Infinity)
      this.#break('told once', `${meaning} was handled ${known.count} times, though nothing had gone wrong`);
  }

  // What must hold after every step, and at the end of the world.

  afterStep(): void {
    for (const [shard, { stream }] of this.world.model.shards.entries()) {
      const seen = this.#seen.get(shard) ?? '0-0';
      if (stream.last === seen) continue;
      for (const entry of stream.after(seen, Infinity)) this.#recorded(entry);
      this.#seen.set(shard, stream.last);
    }
    this.#checkClocks();
    this.#checkLateness();
    this.#checkNews();
    this.#checkSignOuts();
  }

  /** Everybody has gone, and nothing has stood in the way for long. */
  finish(): void {
    for (const session of this.#sessions) {
      const { title, startedAt, endedAt, handled, sessionId, doubtful } = session;
      if (startedAt === undefined) continue;
      if (endedAt === undefined) return this.#break('never late', `${title} never ended`);
      for (const kind of ['start', 'end'])
        if (!handled.has(kind)) return this.#break('told once', `the ${kind} of ${title} was never handled`);
      // What could not be begun is not watched, and waits for its next request.
      if (!doubtful && this.world.storage.read(sessionId) !== undefined)
        return this.#break('nothing left behind', `the data of ${title} is still there`);
    }
    for (const { records, deadlines, stream } of this.world.model.shards) {
      if (records.size + deadlines.size > 0)
        this.#break(
          'nothing left behind',
          `${records.size} records and ${deadlines.size} deadlines are left`,
        );
      for (const group of ['recorder', 'session-security:blobs'])
        if (stream.pendingOf(group) > 0)
          this.#break('nothing left behind', `${group} has not acknowledged all`);
    }
  }

  get #now(): number {
    return this.world.scheduler.now;
  }

  #troubledSince(at: number): boolean {
    return this.#troubledAt >= at || this.world.incumbents.some(({ wellSince }) => wellSince > at);
  }

  #requireAlive(session: KnownSession, visit: Visit, judgedFrom: number): void {
    const { title, endedAt, endReason, signedOutOn } = session;
    const { number } = visit.process;
    const who = `p${number} served visit ${visit.number} for ${title}`;
    const { grace, commandTimeout } = this.world.settings;
    const { cutOffSince = Infinity } = this.world.incumbents.find(({ server }) => server === visit.process)!;
    if (judgedFrom > cutOffSince + (grace + 2 * commandTimeout) * 1000 + FOUND_WITHIN_MS)
      return this.#break('dead stays dead', `${who}, though Redis is away since ${cutOffSince}`);
    if ((signedOutOn.get(number) ?? Infinity) < judgedFrom)
      return this.#break('dead stays dead', `${who}, who had signed out there`);
    if (endedAt === undefined) return;
    const isTimeout = TIMEOUTS.includes(endReason!);
    // Who ends a session on one process has its data removed at once, and the others hear of it with their next look.
    const bindsFrom = isTimeout ? endedAt : endedAt + HEARD_WITHIN_MS;
    const isWell = this.world.incumbents.some(
      ({ server, wellSince }) => server === visit.process && wellSince <= endedAt,
    );
    if (bindsFrom < judgedFrom && (isTimeout || isWell))
      this.#break(
        'dead stays dead',
        `${who} at ${judgedFrom}, whose end (${endReason}) was recorded at ${endedAt}`,
      );
  }

  #accept(session: KnownSession, { process }: Visit, at: number): void {
    session.lastAccepted = Math.max(session.lastAccepted, at);
    session.trustedBy = process.tracker.outage === undefined ? undefined : process.number;
  }

  #recorded({ kind, id, at: recordedAt, reason, record }: ModelEntry): void {
    const session = this.#byReference.get(id);
    const at = recordedAt - this.world.redisTime() + this.#now;
    this.world.note(`Redis records ${kind} ${reason ?? ''} of ${session?.title}`);
    if (!session) return this.#break('told once', `${kind} was recorded of a session that nobody began`);
    if (kind === 'start' && session.endedAt !== undefined) {
      if (!session.doubtful || session.endReason !== 'replaced')
        return this.#break('dead stays dead', `${session.title} began again`);
      // What could not be begun was given up, and its next request began it anew.
      session.endedAt = session.endReason = undefined;
    }
    if (kind === 'start') session.startedAt ??= at;
    if (kind !== 'end') return;
    if (session.endedAt !== undefined)
      return this.#break('told once', `the end of ${session.title} was recorded again`);
    session.endedAt = at;
    session.endReason = reason;
    this.#news.push(session);
    const { expireAfter, maxLifetime } = record.limits;
    const lifetimeEnd = session.signedInAt + (maxLifetime ?? Infinity) * 1000;
    // Whose last activity a process could not write before the absolute limit ends by being idle as far as Redis knows.
    const least =
      reason === 'idle' ? Math.min(session.lastAccepted + expireAfter * 1000, lifetimeEnd) : lifetimeEnd;
    if (!TIMEOUTS.includes(reason!)) {
      if (!session.claims.has(reason!) && !session.doubtful)
        this.#break('never early', `${session.title} ended without cause: ${reason}`);
    } else if (at < least && !(reason === 'idle' && session.forgotten)) {
      this.#break('never early', `${session.title} ended ${least - at} ms before its time (${reason})`);
    }
  }

  #checkClocks(): void {
    for (const { server } of this.world.incumbents) {
      const [now, before] = [server.clock.now(), this.#clocks.get(server)!];
      // Until Redis has told the time, instants mean nothing.
      if (!this.#clocks.has(server)) continue;
      if (now < before && before < 1.2e12 === now < 1.2e12)
        this.#break('time never goes back', `the clock of p${server.number} went from ${before} to ${now}`);
      this.#clocks.set(server, now);
    }
  }

  /** As long as one process is well, ends are recorded in time. */
  #checkLateness(): void {
    const wellSince = Math.min(...this.world.incumbents.map((process) => process.wellSince));
    if (wellSince > this.#now) return;
    const slackMs = this.world.settings.flushInterval * 1000;
    const redisIsAhead = this.world.redisTime() - this.#now;
    for (const { records, clock } of this.world.model.shards) {
      for (const [id, { lastActivityAt, startedAt, limits }] of records) {
        const idleEnd = lastActivityAt + limits.expireAfter * 1000 + slackMs;
        const lifetimeEnd = startedAt + (limits.maxLifetime ?? Infinity) * 1000;
        // While ends are held it is not known whether somebody was active until the absolute limit, so neither is the reason.
        const due = (idleEnd < lifetimeEnd ? Math.max(idleEnd, clock.hold) : lifetimeEnd) - redisIsAhead;
        if (this.#now > Math.max(due, wellSince) + FOUND_WITHIN_MS)
          this.#break('never late', `${this.#byReference.get(id)?.title} was due at ${due}`);
      }
    }
  }

  /** Who has signed out is recorded so, if nothing stood in the way. */
  #checkSignOuts(): void {
    this.#signedOut = this.#signedOut.filter(({ session, begunAt }) => {
      if (session.endedAt !== undefined || this.#troubledSince(begunAt)) return false;
      if (this.#now > begunAt + SIGNED_OUT_WITHIN_MS)
        this.#break('dead stays dead', `${session.title} has signed out, and Redis does not know`);
      return true;
    });
  }

  /** Every process that is well hears of every end. */
  #checkNews(): void {
    if (this.#news.length === 0) return;
    this.#news = this.#news.filter(({ title, endedAt, toldBy, doubtful }) => {
      if (this.#now <= endedAt! + HEARD_WITHIN_MS) return true;
      for (const { server, wellSince } of this.world.incumbents)
        if (!doubtful && wellSince < endedAt! && !toldBy.has(server.number))
          this.#break('told once', `p${server.number} has not heard of the end of ${title}`);
      return false;
    });
  }

  #break(promised: Promised, what: string): void {
    this.broken ??= new BrokenPromise(promised, what);
  }
}
