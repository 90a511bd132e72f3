import { Logger } from '@nestjs/common';
import { Administrator } from './actors/administrator.js';
import { Browser } from './actors/browser.js';
import { Nature } from './actors/nature.js';
import { TabUser } from './actors/tab-user.js';
import type { Outcome } from './outcome.js';
import type { CookieJar } from './world/cookie-jar.js';
import { Trace } from './world/trace.js';
import { World } from './world/world.js';

/** Two stories of so many have tabs of the real client, because they take their time. */
const CYCLE = 12;
const WITH_TABS = [3, 11];
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
  await tell(world, WITH_TABS.includes(seed % CYCLE));
  const { broken } = world.oracle;
  return { seed, broken, lastLines: trace.lastLines, fingerprint: trace.fingerprint };
}

async function tell(world: World, hasTabs: boolean): Promise<void> {
  const { random } = world;
  const actorsMs = random.between(20_000, 70_000);
  const browsers = Array.from(
    { length: random.between(1, 4) },
    (_, index) => new Browser(world, random, index + 1),
  );
  const administrator = new Administrator(world, random);
  const nature = new Nature(world, random);
  const tabUsers = hasTabs ? [new TabUser(world, random)] : [];
  for (const actor of [...browsers, administrator, nature, ...tabUsers]) actor.begin(actorsMs);

  const jars = [...browsers, ...tabUsers.map(({ desktop }) => desktop)].map(({ jar }) => jar);

  const chapters: [lastsMs: number, begin: () => void][] = [
    [actorsMs, () => world.boot()],
    [LAST_VISITS_MS, () => [nature, ...tabUsers].forEach((actor) => actor.rest())],
    [LAST_DEADLINES_MS, () => administrator.closeDown()],
    [0, () => world.oracle.finish(world.process!)],
    [OLD_COOKIES_MS, () => tryOldCookies(world, jars)],
    [0, () => world.crash()],
    [OLD_COOKIES_MS, () => (world.boot(), tryOldCookies(world, jars))],
  ];
  for (const [lastsMs, begin] of chapters) {
    world.scheduler.after(0, 'a chapter begins', begin);
    await world.runFor(lastsMs);
    if (world.oracle.broken) return;
  }
}

/** Nobody is signed in any more, so no cookie that was ever given out leads to anybody. */
function tryOldCookies(world: World, jars: readonly CookieJar[]): void {
  for (const cookie of jars.flatMap(({ all }) => all))
    world.visit({ errand: 'poll', cookie, gapMs: 0, waitsMs: [] });
}
