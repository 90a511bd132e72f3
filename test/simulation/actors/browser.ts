import { CookieJar } from '../world/cookie-jar.js';
import type { Random } from '../world/random.js';
import { type Errand, type Plan, sessionIdIn } from '../world/visit.js';
import type { World } from '../world/world.js';
import { type Rhythm, pauseMs } from './pause.js';

const USERS = ['anna', 'ben', 'cleo'];

const SIGNED_IN: Partial<Record<Errand, number>> = {
  view: 20,
  poll: 14,
  write: 9,
  ping: 14,
  look: 6,
  file: 5,
  rotate: 6,
  logOut: 3,
  forget: 2,
  end: 2,
  signIn: 3,
  signInHere: 1,
};
const SIGNED_OUT: Partial<Record<Errand, number>> = {
  signIn: 30,
  signInHere: 5,
  signInUnseen: 4,
  view: 8,
  write: 3,
  poll: 3,
  file: 2,
  ping: 4,
  look: 2,
};
/** Around a deadline, in milliseconds: what happens in the very instant, and around the tick that finds it. */
const EDGES = [-1000, -100, -1, 0, 1, 100, 999, 1000, 1001, 2000];

/**
 * A browser with several tabs and one cookie jar. What it wants is chance; when it wants it, too, but often it comes in
 * the very instants in which something is about to be decided.
 */
export class Browser {
  readonly jar = new CookieJar();

  constructor(
    private readonly world: World,
    private readonly random: Random,
    private readonly number: number,
  ) {}

  /** Goes on until the actors' time is over. */
  begin(until: number): void {
    this.world.scheduler.after(this.#pauseMs(), `browser ${this.number}`, () => {
      if (this.world.scheduler.now > until) return;
      const together = this.random.chance(0.15) ? this.random.between(2, 4) : 1;
      for (let count = 0; count < together; count++) this.#act();
      this.begin(until);
    });
  }

  #act(): void {
    if (this.random.chance(0.06)) return this.#readSession();
    // Somebody tries a cookie of former times.
    if (this.jar.former.length > 0 && this.random.chance(0.08))
      return void this.world.visit({ ...this.#plan('view'), cookie: this.random.pick(this.jar.former) });
    const signedIn = this.#life?.state === 'alive';
    const errand = this.random.weighted((signedIn ? SIGNED_IN : SIGNED_OUT) as Record<Errand, number>);
    this.world.visit(this.#plan(errand), ({ cookies }) => this.jar.keep(cookies));
  }

  #plan(errand: Errand): Plan {
    const { random } = this;
    const longestMs = this.world.settings.limits.expireAfter * 1500;
    return {
      errand,
      cookie: this.jar.cookie,
      gapMs: random.chance(0.2) ? this.#durationMs(longestMs / 2) : 0,
      waitsMs: [this.#durationMs(longestMs), this.#durationMs(longestMs)],
      ...(errand.startsWith('signIn') ? { user: random.pick(USERS) } : {}),
      ...(errand === 'ping' && random.chance(0.8) ? { idleFor: this.#idleFor() } : {}),
      ...(random.chance(0.04) ? { background: true } : {}),
      ...(random.chance(0.06) ? { abortedInMs: this.#durationMs(longestMs) } : {}),
    };
  }

  #durationMs(longestMs: number): number {
    const { random } = this;
    const kind = random.weighted({ none: 60, short: 15, long: 15, verylong: 10 });
    if (kind === 'none') return 0;
    return random.between(1, { short: 50, long: 3000, verylong: longestMs }[kind]);
  }

  #idleFor(): number {
    const { random } = this;
    if (random.chance(0.3)) return 0;
    return random.between(0, this.world.settings.limits.expireAfter * 1500) / 1000;
  }

  #pauseMs(): number {
    const { expireAfter } = this.world.settings.limits;
    const rhythm: Rhythm = {
      soon: { weight: 30, fromMs: 0, toMs: 400 },
      usual: { weight: 40, fromMs: 400, toMs: expireAfter * 500 },
      edge: { weight: 25, fromMs: 0, toMs: expireAfter * 1000 },
      long: { weight: 8, fromMs: expireAfter * 1000, toMs: expireAfter * 1600 },
    };
    return pauseMs(this.random, rhythm, () => this.#untilAnEdgeMs());
  }

  /** Until the session's warning or end, or just before or after it. */
  #untilAnEdgeMs(): number | undefined {
    const [life, process] = [this.#life, this.world.process];
    if (!life || !process) return undefined;
    const boundary = this.random.chance(0.3) ? life.latestWarning : life.latestDeadline();
    const inMs = Math.ceil(boundary - process.clock.now()) + this.random.pick(EDGES);
    return Number.isFinite(inMs) && inMs >= 0 ? inMs : undefined;
  }

  #readSession(): void {
    const cookie = this.random.pick([this.jar.cookie, ...this.jar.former]);
    const sessionId = cookie && sessionIdIn(cookie);
    if (sessionId) this.world.readSession(sessionId);
  }

  get #life() {
    return this.world.oracle.history.bySessionId(this.jar.sessionId);
  }
}
