import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/**
 * How the session store is doing:
 *
 * - `calm`: answers within a few milliseconds;
 * - `slow`: takes seconds, so answers overtake one another;
 * - `flaky`: fails now and then, before or after it did what was asked;
 * - `failing`: answers every call with an error, or throws;
 * - `frozen`: answers nothing until it thaws;
 * - `mute`: does now and then what it is asked, and never answers;
 * - `echoing`: answers twice;
 * - `disconnected`: has told the session library that it is away.
 */
export type Weather = 'calm' | 'slow' | 'flaky' | 'failing' | 'frozen' | 'mute' | 'echoing' | 'disconnected';

/** What becomes of one command. Delays in milliseconds; it is carried out before or when it is answered. */
export interface Fate {
  readonly appliedIn: number;
  readonly answeredIn: number;
  readonly applied: boolean;
  readonly outcome: 'answer' | 'error' | 'throw' | 'silence';
  /** A second, late answer. */
  readonly echoIn?: number;
}

/** The longest that a calm store takes. */
export const CALM_ANSWER_MS = 8;
const SLOW_ANSWER_MS = 3000;

/** The data behind all connections of the session store, which outlives every process, and the weather there. */
export class SessionStorage {
  readonly #entries = new Map<string, string>();
  #weather: Weather = 'calm';
  #thawsAt = 0;
  #troubledUntil = -1;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    /** How long those who ask wait for an answer. */
    private readonly patienceMs: number,
  ) {}

  get weather(): Weather {
    return this.#weather;
  }

  /** Until this instant some command was answered late, wrongly, twice or not at all. */
  get troubledUntil(): number {
    return this.#weather === 'calm' ? this.#troubledUntil : this.scheduler.now;
  }

  change(weather: Weather, durationMs: number): void {
    if (weather !== 'calm' || this.#weather !== 'calm') this.#trouble(0);
    this.#weather = weather;
    this.#thawsAt = this.scheduler.now + durationMs;
  }

  read(key: string): string | undefined {
    return this.#entries.get(key);
  }

  write(key: string, text: string): void {
    this.#entries.set(key, text);
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  /** Draws what becomes of the next command. */
  fate(): Fate {
    const fate = this.#drawn();
    const usual = fate.outcome === 'answer' && fate.answeredIn <= CALM_ANSWER_MS && fate.echoIn === undefined;
    if (!usual) this.#trouble(Math.max(fate.answeredIn, fate.echoIn ?? 0, this.patienceMs));
    return fate;
  }

  #drawn(): Fate {
    const { random } = this;
    switch (this.#weather) {
      case 'slow':
        return random.chance(0.5) ? this.#answer(SLOW_ANSWER_MS) : this.#answer(CALM_ANSWER_MS);
      case 'frozen':
        return this.#answer(CALM_ANSWER_MS, Math.max(0, this.#thawsAt - this.scheduler.now));
      case 'mute':
        return random.chance(0.4) ? this.#silence() : this.#answer(CALM_ANSWER_MS);
      case 'echoing':
        return { ...this.#answer(CALM_ANSWER_MS), echoIn: random.between(0, SLOW_ANSWER_MS) };
      case 'flaky':
        return random.chance(0.3) ? this.#error() : this.#answer(CALM_ANSWER_MS);
      case 'failing':
        return this.#error();
      default:
        return this.#answer(CALM_ANSWER_MS);
    }
  }

  #answer(longest: number, atLeast = 0): Fate {
    const answeredIn = atLeast + this.random.between(0, longest);
    const appliedIn = this.random.pick([0, answeredIn, this.random.between(0, answeredIn)]);
    return { appliedIn: Math.max(appliedIn, atLeast), answeredIn, applied: true, outcome: 'answer' };
  }

  #error(): Fate {
    const outcome = this.random.chance(0.1) ? 'throw' : 'error';
    // An error may also mean that the command was carried out and only its answer was lost.
    const applied = outcome === 'error' && this.random.chance(0.2);
    const answeredIn = this.random.between(0, CALM_ANSWER_MS);
    return { appliedIn: this.random.between(0, answeredIn), answeredIn, applied, outcome };
  }

  #silence(): Fate {
    const answeredIn = this.random.between(0, SLOW_ANSWER_MS);
    return { appliedIn: answeredIn, answeredIn, applied: this.random.chance(0.5), outcome: 'silence' };
  }

  #trouble(lastsMs: number): void {
    this.#troubledUntil = Math.max(this.#troubledUntil, this.scheduler.now + lastsMs);
  }
}
