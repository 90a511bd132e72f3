import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { SessionGate } from '../../lib/http/gate/session-gate.js';
import { Faults } from '../support/stores/faults.js';
import { eventually } from '../support/real-time.js';
import { STORE_KINDS, StoreYard, type TestStore } from '../support/stores/kinds.js';
import { VirtualClock } from '../support/virtual-clock.js';
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
    const now = this.#desks.at(-1)?.clock.now();
    const clock = now === undefined ? undefined : new VirtualClock(now + after * 1000);
    const desk = await WatchedApp.start({
      store,
      security: { flushInterval: FLUSH_INTERVAL, sessionStore: store, ...security },
      ...(clock ? { clock } : {}),
    });
    await desk.app.get(ActivityTracker).recovered();
    this.#desks.push(desk);
  }

  /** The process is no more: it writes nothing, and nobody hears of it. */
  kill(): void {
    this.desk.app.get(SessionGate).release();
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

/** Activity after a pause is written at once, without the request having to wait for it. */
async function activityWritten({ stored, desk }: Restarts): Promise<void> {
  await eventually(
    'the activity in the store',
    async () => {
      const [entry] = Object.values(await stored.records());
      return entry?.['sessionSecurity'].lastActivityAt === desk.clock.now();
    },
    10_000,
  );
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

    it('V2 a process that was killed ends nobody early, however long the last activity before the last had been ago', async () => {
      restarts = await Restarts.on(kind);
      await restarts.start();
      const browser = await restarts.desk.signedIn();
      await restarts.desk.clock.advance(5);
      restarts.desk.clock.jump(0.3);
      await browser.user();
      await activityWritten(restarts);
      restarts.desk.clock.jump(0.4);
      await browser.user();
      const activeAt = restarts.desk.clock.now();
      restarts.kill();
      await restarts.start();
      await restarts.desk.clock.advance(E - 1);
      expect(restarts.desk.log.of('end')).toEqual([]);
      expect((await browser.moveTo(restarts.desk).state()).state).toBe('warning');
      await restarts.desk.clock.advance(FLUSH_INTERVAL + 3);
      const [expired] = restarts.desk.log.of('expire');
      expect(expired.recordedAt - activeAt).toBeGreaterThanOrEqual(E * 1000);
      expect(expired.recordedAt - activeAt).toBeLessThanOrEqual((E + FLUSH_INTERVAL + 2) * 1000);
    });

    it('V2 however often processes are killed and take over, what each allows for does not add up', async () => {
      restarts = await Restarts.on(kind);
      await restarts.start();
      const browser = await restarts.desk.signedIn();
      const activeAt = restarts.desk.clock.now();
      const ends = () => restarts.desk.log.of('expire');
      for (let seconds = 0; seconds < 2 * E && ends().length === 0; seconds += 2) {
        // Somebody looks, which counts for nothing, and what is known of the session is written.
        await browser.state();
        await restarts.desk.clock.advance(1.5);
        if (ends().length > 0) break;
        restarts.kill();
        await restarts.start({}, 0.5);
        browser.moveTo(restarts.desk);
        await restarts.desk.clock.advance(0);
      }
      const [expired] = ends();
      expect(expired.recordedAt - activeAt).toBeGreaterThanOrEqual(E * 1000);
      expect(expired.recordedAt - activeAt).toBeLessThanOrEqual((E + FLUSH_INTERVAL + 2) * 1000);
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
