import type { ServerProcess } from '../world/server-process.js';

interface ClockOf {
  readonly bornAt: number;
  readonly wallAtBirth: number;
  /** How far the wall clock has pushed it forward. */
  gained: number;
  shown: number;
}

/**
 * How the clock of each living process must go: with the time that passes, pushed forward by a wall clock that is set
 * forward, and not held back by one that is set back.
 */
export class ProcessClocks {
  readonly #clocks = new Map<ServerProcess, ClockOf>();

  begin(process: ServerProcess, at: number, wall: number): void {
    this.#clocks.set(process, { bornAt: at, wallAtBirth: wall, gained: 0, shown: wall });
  }

  end(process: ServerProcess): void {
    this.#clocks.delete(process);
  }

  get living(): readonly ServerProcess[] {
    return [...this.#clocks.keys()];
  }

  /** World time at which the process began; never, if it has died. */
  bornAt(process: ServerProcess): number {
    return this.#clocks.get(process)?.bornAt ?? Infinity;
  }

  /** One sentence if a process's clock is wrong. */
  fault(at: number, wall: number): string | undefined {
    for (const [process, clock] of this.#clocks) {
      const elapsed = at - clock.bornAt;
      clock.gained = Math.max(clock.gained, wall - clock.wallAtBirth - elapsed);
      const expected = clock.wallAtBirth + elapsed + clock.gained;
      const shown = process.clock.now();
      const isWrong = Math.abs(shown - expected) > 0.01 || shown < clock.shown;
      clock.shown = shown;
      if (isWrong) return `process ${process.number} shows ${shown}, and it is ${expected}`;
    }
    return undefined;
  }
}
