import { CookieJar } from '../world/cookie-jar.js';
import type { Random } from '../world/random.js';
import type { Errand, Plan } from '../world/visit.js';
import type { SharedWorld } from './shared-world.js';

const USERS = ['anna', 'ben', 'cleo'];
const SIGNED_IN: Partial<Record<Errand, number>> = {
  view: 24,
  write: 10,
  poll: 10,
  ping: 16,
  look: 6,
  file: 4,
  logOut: 3,
  end: 2,
  signIn: 2,
};
const SIGNED_OUT: Partial<Record<Errand, number>> = { signIn: 30, view: 4, poll: 2, ping: 2 };
/** Around a deadline, in milliseconds: as a process sees it, and a second later, as Redis does. */
const EDGES = [-900, -100, -1, 0, 1, 100, 499, 900, 999, 1000, 1001, 1500];

/** A browser whose requests come to any of the processes, often in the very instants in which something is decided. */
export class Visitor {
  readonly jar = new CookieJar();

  constructor(
    private readonly world: SharedWorld,
    private readonly random: Random,
    private readonly number: number,
  ) {}

  /** Goes on until the actors' time is over. */
  begin(until: number): void {
    this.world.scheduler.after(this.#pauseMs(), `visitor ${this.number}`, () => {
      if (this.world.scheduler.now > until) return;
      const together = this.random.chance(0.2) ? this.random.between(2, 4) : 1;
      for (let count = 0; count < together; count++) this.#act();
      this.begin(until);
    });
  }

  #act(): void {
    const { random, jar } = this;
    if (jar.former.length > 0 && random.chance(0.08))
      return void this.world.visit({ ...this.#plan('view'), cookie: random.pick(jar.former) });
    const session = this.#session;
    const isSignedIn = session !== undefined && session.endedAt === undefined;
    const errand = random.weighted((isSignedIn ? SIGNED_IN : SIGNED_OUT) as Record<Errand, number>);
    this.world.visit(this.#plan(errand), ({ cookies }) => jar.keep(cookies));
  }

  #plan(errand: Errand): Plan {
    const { random } = this;
    const { expireAfter } = this.world.settings.limits;
    return {
      errand,
      cookie: this.jar.cookie,
      gapMs: random.chance(0.1) ? random.between(1, 2000) : 0,
      waitsMs: [0, 0].map(() => (random.chance(0.15) ? random.between(1, 3000) : 0)),
      ...(errand === 'signIn' ? { user: random.pick(USERS) } : {}),
      ...(errand === 'ping' && random.chance(0.8)
        ? { idleFor: random.chance(0.3) ? 0 : random.between(0, expireAfter * 1200) / 1000 }
        : {}),
    };
  }

  #pauseMs(): number {
    const { random } = this;
    const { expireAfter } = this.world.settings.limits;
    switch (random.weighted({ moment: 30, usual: 35, edge: 30, long: 8 })) {
      case 'moment':
        return random.between(0, 600);
      case 'usual':
        return random.between(400, expireAfter * 600);
      case 'edge':
        return this.#untilAnEdgeMs() ?? random.between(0, expireAfter * 1000);
      case 'long':
        return random.between(expireAfter * 1000, expireAfter * 1600);
    }
  }

  #untilAnEdgeMs(): number | undefined {
    const session = this.#session;
    if (!session) return undefined;
    const { warnAfter, expireAfter } = this.world.settings.limits;
    const boundary =
      session.lastAccepted +
      (this.random.chance(0.3) ? warnAfter : expireAfter) * 1000 +
      this.random.pick(EDGES);
    const inMs = boundary - this.world.scheduler.now;
    return inMs >= 0 ? inMs : undefined;
  }

  get #session() {
    return this.world.oracle.bySessionId(this.jar.sessionId);
  }
}
