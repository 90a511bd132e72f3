import { Logger } from '@nestjs/common';
import { Administrator } from './actors/administrator.js';
import { Browser } from './actors/browser.js';
import { Nature } from './actors/nature.js';
import type { BrokenPromise } from './oracle/broken-promise.js';
import { Trace } from './world/trace.js';
import { World } from './world/world.js';

/** What became of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly broken: BrokenPromise | undefined;
  readonly lastLines: readonly string[];
  /** The same for two runs that went the same way. */
  readonly fingerprint: string;
}

/** Until the slowest visits are over… */
const LAST_VISITS_MS = 130_000;
/** …and until all deadlines after them have passed. */
const LAST_DEADLINES_MS = 50_000;
const OLD_COOKIES_MS = 5000;

/** Tells the story of one seed, to its end or until a promise is broken. */
export async function simulate(seed: number, print?: (line: string) => void): Promise<Outcome> {
  Logger.overrideLogger(false);
  const trace = new Trace(print);
  const world = new World(seed, trace);
  await tell(world);
  const { broken } = world.oracle;
  return { seed, broken, lastLines: trace.lastLines, fingerprint: trace.fingerprint };
}

async function tell(world: World): Promise<void> {
  const { random } = world;
  const actorsMs = random.between(20_000, 70_000);
  const browsers = Array.from(
    { length: random.between(1, 4) },
    (_, index) => new Browser(world, random, index + 1),
  );
  const administrator = new Administrator(world, random);
  const nature = new Nature(world, random);
  for (const actor of [...browsers, administrator, nature]) actor.begin(actorsMs);

  const chapters: [lastsMs: number, begin: () => void][] = [
    [actorsMs, () => world.boot()],
    [LAST_VISITS_MS, () => nature.rest()],
    [LAST_DEADLINES_MS, () => administrator.closeDown()],
    [0, () => world.oracle.finish(world.process!)],
    [OLD_COOKIES_MS, () => tryOldCookies(world, browsers)],
    [0, () => world.crash()],
    [OLD_COOKIES_MS, () => (world.boot(), tryOldCookies(world, browsers))],
  ];
  for (const [lastsMs, begin] of chapters) {
    world.scheduler.after(0, 'a chapter begins', begin);
    await world.runFor(lastsMs);
    if (world.oracle.broken) return;
  }
}

/** Nobody is signed in any more, so no cookie that was ever given out leads to anybody. */
function tryOldCookies(world: World, browsers: readonly Browser[]): void {
  for (const cookie of browsers.flatMap(({ cookies }) => cookies))
    world.visit({ errand: 'poll', cookie, gapMs: 0, waitsMs: [] });
}

/** A failing seed as a bug report: which promise, what came before, and how to see it again. */
export function reportOf({ seed, broken, lastLines }: Outcome): string {
  return [
    ...lastLines.map((line) => `  ${line}`),
    '',
    `Seed ${seed} broke a promise. ${broken?.message}`,
    `See it again: npm run simulate -- --seed ${seed} --trace`,
  ].join('\n');
}
