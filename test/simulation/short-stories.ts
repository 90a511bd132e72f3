import { Logger } from '@nestjs/common';
import type { Outcome } from './outcome.js';
import { CookieJar } from './world/cookie-jar.js';
import { Trace } from './world/trace.js';
import type { Errand, Plan } from './world/visit.js';
import { World } from './world/world.js';

/** Any world will do. */
const SEED = 1;

/** A visit by the one browser of the story, and when it begins. */
type Step = readonly [atMs: number, errand: Errand, more?: Partial<Plan>];

/** What happens in a calm world, told by hand, where chance hardly ever comes by. */
const STORIES = {
  'somebody signs in beside a slow anonymous request': [
    [0, 'write'],
    [100, 'view', { waitsMs: [1000] }],
    [200, 'signInHere', { user: 'anna' }],
    [1500, 'view'],
  ],
  'somebody signs out, leaving the id in use, while the id is changed, and signs in under it again': [
    [0, 'write'],
    [100, 'signInHere', { user: 'anna' }],
    [200, 'rotate', { waitsMs: [106] }],
    [200, 'forget', { waitsMs: [100] }],
    [500, 'signInHere', { user: 'anna' }],
    [600, 'view'],
  ],
} satisfies Record<string, readonly Step[]>;

/** Until the last visit is over. */
const LAST_VISIT_MS = 100;

export type ShortStory = keyof typeof STORIES;

export const SHORT_STORIES = Object.keys(STORIES) as ShortStory[];

/** Tells a short story, to its end or until a promise is broken. */
export async function simulateShortStory(
  story: ShortStory,
  print?: (line: string) => void,
): Promise<Outcome> {
  Logger.overrideLogger(false);
  const trace = new Trace(print);
  const world = new World(SEED, trace);
  const jar = new CookieJar();
  const steps: readonly Step[] = STORIES[story];
  world.scheduler.after(0, 'the story begins', () => world.boot());
  for (const [atMs, errand, more] of steps) {
    world.scheduler.after(1 + atMs, 'the story goes on', () => {
      const cookie = jar.cookie === undefined ? {} : { cookie: jar.cookie };
      const plan = { errand, gapMs: 0, waitsMs: [], ...cookie, ...more };
      world.visit(plan, ({ cookies }) => jar.keep(cookies));
    });
  }
  await world.runFor(Math.max(...steps.map(([atMs]) => atMs)) + LAST_VISIT_MS);
  const { broken } = world.oracle;
  return { seed: SEED, broken, lastLines: trace.lastLines, fingerprint: trace.fingerprint };
}
