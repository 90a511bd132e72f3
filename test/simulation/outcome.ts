import type { BrokenPromise } from './oracle/broken-promise.js';

/** What became of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly broken: BrokenPromise | undefined;
  readonly lastLines: readonly string[];
  /** The same for two runs that went the same way. */
  readonly fingerprint: string;
  /** Of the command that tells the story again, if it is not of the usual kind. */
  readonly option?: string;
}

/** A failing seed as a bug report: which promise, what came before, and how to see it again. */
export function reportOf({ seed, broken, lastLines, option }: Outcome): string {
  return [
    ...lastLines.map((line) => `  ${line}`),
    '',
    `Seed ${seed} broke a promise. ${broken?.message}`,
    `See it again: npm run simulate -- ${option === undefined ? '' : `${option} `}--seed ${seed} --trace`,
  ].join('\n');
}
