import type { Random } from '../world/random.js';

interface Pause {
  readonly weight: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** How somebody's pauses are spread; `edge` is until something is about to be decided, or of its range if nothing is. */
export type Rhythm = Readonly<Record<'soon' | 'usual' | 'edge' | 'long', Pause>>;

/** How long somebody pauses. */
export function pauseMs(random: Random, rhythm: Rhythm, untilAnEdgeMs: () => number | undefined): number {
  const { soon, usual, edge, long } = rhythm;
  const kind = random.weighted({
    soon: soon.weight,
    usual: usual.weight,
    edge: edge.weight,
    long: long.weight,
  });
  const { fromMs, toMs } = rhythm[kind];
  return (kind === 'edge' ? untilAnEdgeMs() : undefined) ?? random.between(fromMs, toMs);
}
