import type { Reply } from '../../../../client/core/answer.js';
import type { Random } from '../random.js';
import type { Answer, Plan } from '../visit.js';
import type { World } from '../world.js';

/** How the network between a browser and the server is. */
export type Quality = 'good' | 'slow' | 'lossy' | 'awful';

/** What becomes of one request. Delays in milliseconds. */
interface Fate {
  readonly upMs: number;
  readonly downMs: number;
  readonly outcome: 'answered' | 'refused' | 'lost' | 'answer lost' | 'garbled';
  /** The request arrives once more, so much later. */
  readonly againInMs?: number;
}

/** What something on the way says in the server's place. */
const GARBAGE: readonly Reply[] = [
  { status: 200, body: '<html>Welcome to our WiFi</html>', retryAfter: null },
  { status: 200, body: { state: 'active', expireIn: 'soon' }, retryAfter: null },
  { status: 200, body: undefined, retryAfter: null },
  { status: 204, body: undefined, retryAfter: null },
  { status: 429, body: undefined, retryAfter: '2' },
  { status: 502, body: '<html>Bad Gateway</html>', retryAfter: null },
  { status: 503, body: undefined, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
];
/** The share of requests that meet with a mishap. */
const MISHAPS: Readonly<Record<Quality, number>> = { good: 0, slow: 0, lossy: 0.15, awful: 0.5 };
const QUICK_MS = 80;

/** Carries requests from one browser to the server, and loses, delays, doubles and garbles some of them. */
export class Network {
  quality: Quality = 'good';
  offline = false;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /**
   * @param plan drawn up when the request leaves
   * @param answered what arrives, if anything does
   * @param failed there is no connection
   */
  send(
    plan: Plan,
    answered: (reply: Reply & Partial<Pick<Answer, 'cookies' | 'owner'>>) => void,
    failed: () => void,
  ): void {
    const { scheduler } = this.world;
    const { upMs, downMs, outcome, againInMs } = this.#fate();
    const later = (delayMs: number, run: () => void): void =>
      scheduler.after(delayMs, `the network and ${plan.errand}`, run);
    if (outcome === 'refused') return later(1, failed);
    if (outcome === 'lost') return;
    if (outcome === 'garbled') return later(upMs + downMs, () => answered(this.random.pick(GARBAGE)));
    const back = (answer: Answer): void => {
      if (outcome === 'answered') later(downMs, () => answered(answer));
    };
    later(upMs, () => {
      if (!this.world.visit(plan, back)) later(downMs, failed);
    });
    if (againInMs !== undefined) later(upMs + againInMs, () => void this.world.visit(plan));
  }

  #fate(): Fate {
    const { random, quality } = this;
    if (this.offline) return { upMs: 0, downMs: 0, outcome: 'refused' };
    const isSlow = quality !== 'good' && random.chance(0.4);
    const longestMs = isSlow ? random.pick([300, 2000, 12_000]) : QUICK_MS;
    const [upMs, downMs] = [random.between(1, longestMs), random.between(1, longestMs)];
    if (!random.chance(MISHAPS[quality])) return { upMs, downMs, outcome: 'answered' };
    const kinds = { refused: 2, lost: 3, 'answer lost': 4, garbled: 2, answered: 2 } as const;
    const outcome = random.weighted(kinds);
    return { upMs, downMs, outcome, ...(outcome === 'answered' && { againInMs: random.between(0, 8000) }) };
  }
}
