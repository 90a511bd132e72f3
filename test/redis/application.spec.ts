import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  SessionSecurityEvents,
  SessionSecurityHealth,
  SessionSecurityService,
} from 'nestjs-session-security';
import { eventually } from '../support/real-time.js';
import { RedisServer } from '../support/redis-server.js';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import { Desk, held } from './support/desk.js';

describe('an application in two processes', () => {
  let server: RedisServer;
  let desks: Desk[];
  const call = (desk: number, method: 'get' | 'post', path: string, cookie?: string) =>
    desks[desk]!.call(method, path, cookie);
  const signIn = (desk: number): Promise<string> => desks[desk]!.signIn();
  const user = (desk: number, cookie: string): Promise<string | null> => desks[desk]!.userOf(cookie);

  /** In place of the desks of every test: nobody's time is over before a slow machine has done what is to be done. */
  const openWithTime = async (): Promise<void> => {
    await Promise.all(desks.map((desk) => desk.close()));
    const security = { warnAfter: 50, expireAfter: 60 };
    desks = await Promise.all([Desk.open(server.url, { security }), Desk.open(server.url, { security })]);
  };

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.command('FLUSHALL');
    desks = await Promise.all([Desk.open(server.url), Desk.open(server.url)]);
  });
  afterEach(() => Promise.all(desks.map((desk) => desk.close())));

  it('6 who signs in on one process is known to the other, and a sign-out bites on both at once', async () => {
    const cookie = await signIn(0);
    expect([await user(1, cookie), await user(0, cookie)]).toEqual(['anna', 'anna']);
    await call(1, 'post', '/logout', cookie).expect(201);
    expect([await user(0, cookie), await user(1, cookie)]).toEqual([null, null]);
    const { body } = await call(0, 'get', '/session-security/ping', cookie).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'logout' });
  });

  it('6 V4 every process hears of an end within five seconds', async () => {
    const ended: string[][] = desks.map(() => []);
    desks.forEach(({ app }, index) =>
      app.get(SessionSecurityEvents).end$.subscribe(({ reason }) => ended[index]!.push(reason)),
    );
    const cookie = await signIn(0);
    await call(1, 'post', '/logout', cookie);
    await eventually('both have heard', () => ended.every((reasons) => reasons.length === 1), 5000);
    expect(ended).toEqual([['logout'], ['logout']]);
  });

  it('6 ASVS 7.5.2 one session of a list ends on all processes, wherever it was begun', async () => {
    await openWithTime();
    const security = desks[1]!.app.get(SessionSecurityService);
    const lost = await signIn(0);
    const { session } = (await security.list('anna'))[0]!;
    const kept = await signIn(1);
    expect(await security.endOne('ben', session)).toBe(false);
    expect(await security.endOne('anna', session)).toBe(true);
    expect(await security.endOne('anna', session)).toBe(false);
    expect([await user(0, lost), await user(1, lost)]).toEqual([null, null]);
    expect([await user(0, kept), await user(1, kept)]).toEqual(['anna', 'anna']);
  });

  it('6 all sessions of a user end, wherever they were begun', async () => {
    const cookies = [await signIn(0), await signIn(1), await signIn(0)];
    const { body } = await call(1, 'post', '/end-all').expect(201);
    expect(body).toEqual({ ended: 3 });
    for (const cookie of cookies)
      expect([await user(0, cookie), await user(1, cookie)]).toEqual([null, null]);
  });

  it('C6 of parallel requests on two processes that give a session other ids one does, and a sign-out ends it', async () => {
    await openWithTime();
    const cookie = await signIn(0);
    expect(await user(1, cookie)).toBe('anna');
    const rotated = Promise.all(
      [0, 1].map((desk) => call(desk, 'post', '/rotate?held=1', cookie).expect(201)),
    );
    await goOn(2);
    // The other leaves the browser the cookie of the first, whichever is answered last.
    const given = (await rotated).flatMap((answer) => cookieIn(answer) ?? []);
    expect(given).toHaveLength(1);
    expect([await user(0, given[0]!), await user(1, given[0]!)]).toEqual(['anna', 'anna']);
    expect((await call(0, 'post', '/end-all').expect(201)).body).toEqual({ ended: 1 });
    expect([await user(0, given[0]!), await user(1, given[0]!)]).toEqual([null, null]);
  });

  it.each([
    ['has never seen it', false, false],
    ['knows it', true, false],
    ['has heard of its new id', true, true],
  ])(
    'C6 C2 a sign-out with the cookie of before, on a process that %s, ends a session',
    async (_, knows, hears) => {
      await openWithTime();
      const cookie = await signIn(0);
      // The first request of a process comes before its gate.
      expect(await user(1, knows ? cookie : '')).toBe(knows ? 'anna' : null);
      const given = cookieIn(await call(0, 'post', '/rotate', cookie).expect(201))!;
      const heard = () => desks[1]!.app.get(ActivityTracker).recall(idOf(cookie)) === undefined;
      if (hears) await eventually('the new id heard of', heard, 10_000);
      // Requests that were on their way are nobody's, and leave the browser the cookie that it has got meanwhile.
      const late = await call(1, 'get', '/whoami', cookie).expect(200);
      expect([late.body, cookieIn(late)]).toEqual([{ user: null }, undefined]);
      await call(1, 'get', '/session-security/ping', cookie).expect(503);
      expect(await user(0, given)).toBe('anna');
      expect(cookieIn(await call(1, 'post', '/leave', cookie).expect(201))).toBeUndefined();
      expect(await user(1, given)).toBeNull();
      await eventually('the end heard of', async () => (await user(0, given)) === null, 10_000);
      const { body } = await call(1, 'get', '/session-security/ping', given).expect(200);
      expect(body).toMatchObject({ state: 'expired', reason: 'logout' });
      await call(1, 'get', '/session-security/ping', cookie).expect(200);
    },
  );

  it('C6 C2 a sign-out under way on one process ends a session that another has given a new id', async () => {
    await openWithTime();
    const cookie = await signIn(0);
    expect(await user(1, cookie)).toBe('anna');
    const signedOut = call(0, 'post', '/logout?held=1', cookie).expect(201).then();
    await isHeld(1);
    const given = cookieIn(await call(1, 'post', '/rotate', cookie).expect(201))!;
    expect(await user(1, given)).toBe('anna');
    const heard = () => desks[0]!.app.get(ActivityTracker).recall(idOf(cookie)) === undefined;
    await eventually('the new id heard of', heard, 10_000);
    await goOn(1);
    await signedOut;
    await eventually(
      'nobody signed in',
      async () => (await user(0, given)) === null && (await user(1, given)) === null,
      20_000,
    );
    const { body } = await call(1, 'get', '/session-security/ping', given).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'logout' });
  });

  it('6 C2 a logout on one process during slow writes on both is final: 400 rounds, 0 revived', async () => {
    let revived = 0;
    const round = async (): Promise<void> => {
      const cookie = await signIn(0);
      const slow = [0, 1, 0, 1].map((desk) => call(desk, 'post', '/slow', cookie).expect(201));
      await Promise.all([...slow, call(1, 'post', '/logout', cookie)]);
      if ((await user(0, cookie)) !== null || (await user(1, cookie)) !== null) revived++;
    };
    for (let done = 0; done < 400; done += 8) await Promise.all(Array.from({ length: 8 }, round));
    expect(revived).toBe(0);
    // A request that comes after the logout is nobody's, and express-session keeps its draft as that of anybody.
    const left = (await server.command('KEYS', 'sess:*')) as string[];
    const data = await Promise.all(left.map((key) => server.command('GET', key)));
    expect(data.filter((blob) => /anna|sessionSecurity/.test(String(blob)))).toEqual([]);
  }, 120_000);

  it('an old report of activity, made to each process in turn, is worth what it says, however often', async () => {
    await openWithTime();
    const cookie = await signIn(0);
    const begun = performance.now();
    for (let turn = 0; turn < 12; turn++) {
      // Nobody has been there since long before the sign-in.
      const idleFor = 20 + (performance.now() - begun) / 1000;
      const { body } = await call(turn % 2, 'post', '/session-security/ping', cookie).send({ idleFor });
      expect(body).toMatchObject({ state: 'active' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [key] = (await server.command('KEYS', 'ss:*:s:*')) as string[];
    const [activity, startedAt] = ((await server.command('GET', key!)) as string).split('|');
    expect(parseInt(activity!, 10)).toBeLessThanOrEqual(Number(startedAt));
  });

  it('S7 S20 of a sign-in that is stored in the future the lifetime counts from when it is found', async () => {
    await Promise.all(desks.map((desk) => desk.close()));
    const security = { warnAfter: 50, expireAfter: 60, maxLifetime: 100 };
    desks = await Promise.all([Desk.open(server.url, { security }), Desk.open(server.url, { security })]);
    const cookie = await signIn(0);
    const [key] = (await server.command('KEYS', 'ss:*:s:*')) as string[];
    const stored = async () => ((await server.command('GET', key!)) as string).split('|');
    const [activity, startedAt, ...rest] = await stored();
    const ahead = String(Number(startedAt) + 3_600_000);
    await server.command('SET', key!, [activity, ahead, ...rest].join('|'));
    const { body } = await call(1, 'get', '/session-security/ping', cookie).expect(200);
    expect(body).toMatchObject({ state: 'active' });
    expect(body.lifetimeIn).toBeLessThanOrEqual(100);
    const [, corrected, ...unchanged] = await stored();
    expect(Number(ahead) - Number(corrected)).toBeGreaterThan(3_000_000);
    expect(unchanged).toEqual(rest);
  });

  it('1 activity on either process keeps a session alive, and its end is told once for both', async () => {
    const handled: string[] = [];
    for (const { app } of desks) {
      app
        .get(SessionSecurityEvents)
        .durable('mail', ({ kind, id }) => void handled.push(`${kind} ${id}`), ['expire']);
    }
    const cookie = await signIn(0);
    for (let second = 0; second < 6; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await user(second % 2, cookie)).toBe('anna');
    }
    await eventually('the expiry handled', () => handled.length > 0, 15_000);
    expect(handled).toHaveLength(1);
    await eventually(
      'the blob removed',
      async () => ((await server.command('KEYS', 'sess:*')) as string[]).length === 0,
      15_000,
    );
    expect(await user(0, cookie)).toBeNull();
  }, 40_000);

  it('T10 a process that has not heard of later activity elsewhere does not tell of a warning', async () => {
    const cookie = await signIn(0);
    await user(1, cookie);
    await eventually(
      'a warning, by memory',
      async () => {
        await call(0, 'post', '/session-security/ping', cookie).send({ idleFor: 0 }).expect(200);
        // A request that is no activity.
        const { body } = await call(1, 'get', '/session-security/ping', cookie).expect(200);
        expect(body).toMatchObject({ state: 'active' });
        return desks[1]!.app.get(ActivityTracker).verdict(idOf(cookie))?.phase === 'warning';
      },
      20_000,
    );
    const { body } = await call(1, 'get', '/session-security/ping', cookie).expect(200);
    expect(body).toMatchObject({ state: 'active' });
  }, 40_000);

  it('3 while Redis is away requests get a clean 503 and health says so; afterwards nobody was ended', async () => {
    await Promise.all(desks.map((desk) => desk.close()));
    desks = [await Desk.open(server.url, { security: { grace: 0, warnAfter: 50, expireAfter: 60 } })];
    const cookie = await signIn(0);
    const health = desks[0]!.app.get(SessionSecurityHealth);
    expect(health.isHealthy('sessions')).toEqual({ sessions: { status: 'up' } });
    server.freeze();
    try {
      await eventually('the outage noticed', () => health.isHealthy().sessions.status === 'down', 10_000);
      const refused = await call(0, 'get', '/whoami', cookie).expect(503);
      expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    } finally {
      server.thaw();
    }
    await eventually('Redis back', () => health.isHealthy().sessions.status === 'up', 10_000);
    expect(await user(0, cookie)).toBe('anna');
  }, 40_000);
});

/** Waits until so many requests wait. */
function isHeld(count: number): Promise<unknown> {
  return eventually('all requests have come', () => held.length === count, 10_000);
}

/** Lets so many requests go on, as soon as all of them wait. */
async function goOn(count: number): Promise<void> {
  await isHeld(count);
  for (const go of held.splice(0)) go();
}

/** The cookie that an answer gives the browser. */
function cookieIn({ headers }: { headers: Record<string, unknown> }): string | undefined {
  return (headers['set-cookie'] as string[] | undefined)?.[0]?.split(';')[0];
}

/** The session id in a signed cookie of express-session. */
function idOf(cookie: string): string {
  return /s:([^.]+)\./.exec(decodeURIComponent(cookie))![1]!;
}
