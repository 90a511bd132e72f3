import type { RedisClient } from '../../../lib/redis/index.js';
import type { RedisModel } from '../../support/redis-model/redis-model.js';
import type { Random } from '../world/random.js';
import type { Scheduler } from '../world/scheduler.js';
import type { Caller } from '../world/session-store.js';

/**
 * How Redis is doing, for everybody or as one process sees it:
 *
 * - `calm`: answers within a few milliseconds;
 * - `slow`: commands and answers are long on their way;
 * - `stalled`: stands still with connections open, and then carries out what has come in;
 * - `refused`: cannot be reached;
 * - `flaky`: now and then a command or its answer is lost, with or without an error.
 */
export type RedisWeather = 'calm' | 'slow' | 'stalled' | 'refused' | 'flaky';

const CALM_MS = 3;
const SLOW_MS = 1200;

interface Sent {
  readonly command: readonly string[];
  readonly fate: 'answered' | 'lost' | 'silent';
  readonly downMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One process's connection to Redis: what is sent first is carried out first, and answered first. */
export class RedisLink {
  #weather: RedisWeather = 'calm';
  readonly #sent: Sent[] = [];
  readonly #answers: (() => void)[] = [];

  constructor(
    private readonly model: RedisModel,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly caller: Caller & { readonly alive: boolean },
  ) {}

  get weather(): RedisWeather {
    return this.#weather;
  }

  readonly client: RedisClient = { sendCommand: (command: string[]) => this.#send(command) };

  change(weather: RedisWeather): void {
    const wasStalled = this.#weather === 'stalled';
    this.#weather = weather;
    if (wasStalled) for (let count = this.#sent.length; count > 0; count--) this.#carryOutIn(0);
  }

  #send(command: readonly string[]): Promise<unknown> {
    const { random } = this;
    return new Promise((resolve, reject) => {
      const isFlaky = this.#weather === 'flaky' && random.chance(0.3);
      if (this.#weather === 'refused' || (isFlaky && random.chance(0.4)))
        return this.caller.inside(0, 'Redis refuses', () => reject(new Error('connect ECONNREFUSED')));
      const longestMs = this.#weather === 'slow' ? SLOW_MS : CALM_MS;
      const fate = isFlaky ? random.pick(['lost', 'silent'] as const) : 'answered';
      this.#sent.push({ command, fate, downMs: random.between(0, longestMs), resolve, reject });
      const upMs = random.chance(0.5) && longestMs === CALM_MS ? 0 : random.between(0, longestMs);
      if (this.#weather === 'stalled') return;
      if (upMs === 0 && this.#sent.length === 1) this.#carryOut();
      else this.#carryOutIn(upMs);
    });
  }

  #carryOutIn(delayMs: number): void {
    this.scheduler.after(delayMs, 'Redis is asked', () => {
      if (this.#weather !== 'stalled') this.#carryOut();
    });
  }

  /** The oldest command, whichever delay is over. */
  #carryOut(): void {
    const sent = this.#sent.shift();
    // What a process has sent just before it died may not have left the machine.
    if (!sent || (!this.caller.alive && this.random.chance(0.5))) return;
    const { fate, downMs, resolve, reject } = sent;
    const settle = this.#outcomeOf(sent);
    if (fate === 'silent') return;
    this.#answers.push(() =>
      fate === 'lost' ? reject(new Error('Socket closed unexpectedly')) : settle(resolve, reject),
    );
    this.caller.inside(downMs, 'Redis answers', () => this.#answers.shift()?.());
  }

  #outcomeOf({ command }: Sent): (resolve: Sent['resolve'], reject: Sent['reject']) => void {
    try {
      const reply = this.model.carryOut(command);
      return (resolve) => resolve(reply);
    } catch (error) {
      return (_, reject) => reject(error as Error);
    }
  }
}
