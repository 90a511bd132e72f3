import { Logger } from '@nestjs/common';
import { Trace } from '../world/trace.js';
import type { Outcome } from '../outcome.js';
import { Misfortune } from './misfortune.js';
import { SharedWorld } from './shared-world.js';
import { Visitor } from './visitor.js';

/** Until the slowest visits are over, all deadlines after them have passed, and what a dead process had in hand is taken over. */
const LAST_MS = 20_000;
const OLD_COOKIES_MS = 2000;

/** Tells the story of several processes of one seed, to its end or until a promise is broken. */
export async function simulateProcesses(seed: number, print?: (line: string) => void): Promise<Outcome> {
  Logger.overrideLogger(false);
  const trace = new Trace(print);
  const world = new SharedWorld(seed, trace);
  await tell(world);
  const { broken } = world.oracle;
  return { seed, broken, lastLines: trace.lastLines, fingerprint: trace.fingerprint, option: '--processes' };
}

async function tell(world: SharedWorld): Promise<void> {
  const { random, seats, scheduler } = world;
  const actorsMs = random.between(10_000, 30_000);
  const visitors = Array.from(
    { length: random.between(1, 3) },
    (_, index) => new Visitor(world, random, index + 1),
  );
  const misfortune = new Misfortune(world, random);
  for (const actor of [...visitors, misfortune]) actor.begin(actorsMs);
  const tryOldCookies = (): void => {
    for (const cookie of visitors.flatMap(({ jar }) => jar.all))
      world.visit({ errand: 'poll', cookie, gapMs: 0, waitsMs: [] });
  };

  const chapters: [lastsMs: number, begin: () => void][] = [
    [
      actorsMs,
      () => seats.forEach((seat) => scheduler.after(random.between(0, 500), 'boot', () => world.boot(seat))),
    ],
    [LAST_MS, () => misfortune.rest()],
    [0, () => world.oracle.finish()],
    // Nobody is signed in any more, so no cookie that was ever given out leads to anybody.
    [OLD_COOKIES_MS, tryOldCookies],
  ];
  for (const [lastsMs, begin] of chapters) {
    scheduler.after(0, 'a chapter begins', begin);
    await world.runFor(lastsMs);
    if (world.oracle.broken) return;
  }
}
