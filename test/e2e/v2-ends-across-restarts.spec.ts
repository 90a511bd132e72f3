import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { Faults } from '../support/stores/faults.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

const E = 10;
/** How often activity is written: what a crash may cost, and a process that takes over adds. */
const FLUSH_INTERVAL = 1;
const USERS = ['anna', 'ben', 'cleo'];
const yard = new StoreYard();
afterAll(() => yard.close());

/** A store that is known from the start, and the processes that run on it one after the other. */
class Restarts {
  readonly #desks: WatchedApp[] = [];
  private constructor(
    readonly stored: TestStore,
    readonly faults: Faults,
  ) {}

  static async on(kind: (typeof STORE_KINDS)[number]['kind']): Promise<Restarts> {
    const stored = await yard.create(kind);
    return new Restarts(stored, new Faults(stored.store));
  }

  get desk(): WatchedApp {
    return this.#desks.at(-1)!;
  }

  async start(security: SessionSecurityOptionsInput = {}, after = 0): Promise<void> {
    const { store } = this.stored;
    const clock = this.#desks.at(-1)?.clock;
    clock?.jump(after);
    const desk = await WatchedApp.start({
      store,
      security: { flushInterval: FLUSH_INTERVAL, sessionStore: store, ...security },
      ...(clock ? { clock } : {}),
    });
    await desk.app.get(ActivityTracker).recovered();
    this.#desks.push(desk);
  }

  async end(): Promise<void> {
    for (const desk of this.#desks) await desk.close();
  }
}

/** A store that lists values without their keys leaves the sessions' data there, which is worth nothing. */
async function expectNothingLeft(restarts: Restarts, browsers: Browser[]): Promise<void> {
  expect(await restarts.stored.records()).toEqual({});
  for (const browser of browsers) expect(await browser.moveTo(restarts.desk).user()).toBeNull();
  expect(await restarts.stored.signedIn()).toEqual({});
}

const kinds = (lists: boolean) => STORE_KINDS.filter((kind) => kind.lists === lists);

describe.each(kinds(true))(
  'V2 sessions end on time although the process was restarted ($kind)',
  ({ kind }) => {
    let restarts: Restarts;
    afterEach(async () => {
      await restarts.end();
      await yard.clear();
    });

    it('V2 those whose time ran out while nobody ran are told of at once, with their lateness', async () => {
      restarts = await Restarts.on(kind);
      await restarts.start();
      const browsers = [];
      for (const user of USERS) browsers.push(await restarts.desk.signedIn(user));
      const signedInAt = restarts.desk.clock.now();
      await restarts.desk.close();
      await restarts.start({}, 3_600);
      await restarts.desk.clock.advance(2);
      const expired = restarts.desk.log.of('expire');
      expect(expired.map(({ userId }) => userId).sort()).toEqual(USERS);
      for (const { dueAt, recordedAt, lateMs } of expired) {
        expect(dueAt - signedInAt).toBe((E + FLUSH_INTERVAL) * 1000);
        expect(lateMs).toBe(recordedAt - dueAt);
      }
      await expectNothingLeft(restarts, browsers);
    });

    it('V2 those whose time runs on are ended when it is over, none early, with no request at all', async () => {
      restarts = await Restarts.on(kind);
      await restarts.start();
      const browsers = [];
      for (const user of USERS) browsers.push(await restarts.desk.signedIn(user));
      await restarts.desk.clock.advance(4);
      await browsers[0]!.user();
      const activeAt = restarts.desk.clock.now();
      await restarts.desk.close();
      await restarts.start({}, 2);
      await restarts.desk.clock.advance(2 * E);
      const expired = restarts.desk.log.of('expire');
      expect(expired.map(({ userId }) => userId).sort()).toEqual(USERS);
      const anna = expired.find(({ userId }) => userId === 'anna');
      expect(anna.recordedAt - activeAt).toBeGreaterThanOrEqual(E * 1000);
      expect(anna.recordedAt - activeAt).toBeLessThanOrEqual((E + FLUSH_INTERVAL + 2) * 1000);
      await expectNothingLeft(restarts, browsers);
    });

    it('V2 a store that is away at the start is asked again until it answers', async () => {
      restarts = await Restarts.on(kind);
      await restarts.start();
      await restarts.desk.signedIn();
      await restarts.desk.close();
      restarts.faults.behaviour = 'fails';
      await restarts.start({}, 60);
      await restarts.desk.clock.advance(5);
      expect(restarts.desk.log.events).toEqual([]);
      restarts.faults.behaviour = 'sound';
      for (let second = 0; second < 3; second++) {
        await restarts.desk.clock.advance(1);
        await restarts.desk.app.get(ActivityTracker).recovered();
      }
      expect(restarts.desk.log.of('expire')).toHaveLength(1);
    });
  },
);

describe.each(kinds(false))('V2 a store that cannot list what it holds ($kind)', ({ kind }) => {
  let restarts: Restarts;
  afterEach(async () => {
    await restarts.end();
    await yard.clear();
  });

  it('V2 ends a session when its browser comes back, and lets nobody in', async () => {
    restarts = await Restarts.on(kind);
    await restarts.start();
    const browser = await restarts.desk.signedIn();
    await restarts.desk.close();
    await restarts.start({}, 60);
    await restarts.desk.clock.advance(5);
    expect(await browser.moveTo(restarts.desk).user()).toBeNull();
    expect(restarts.desk.log.of('expire')).toHaveLength(1);
    expect([await restarts.stored.signedIn(), await restarts.stored.records()]).toEqual([{}, {}]);
  });
});
