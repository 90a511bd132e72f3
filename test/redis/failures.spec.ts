import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';
import { SessionSecurityEvents, SessionSecurityHealth } from 'nestjs-session-security';
import { eventually } from '../support/real-time.js';
import { RedisServer } from '../support/redis-server.js';
import { recordedEnds } from './support/engine.js';
import { clients } from './support/clients.js';
import { Desk, type DeskSettings } from './support/desk.js';
import { Member } from './support/member.js';

/** Longer than requests take that wait for a time limit or two, also on a machine that is busy. */
const EXPIRE_AFTER = 9;
/** How long is waited for what has to come: the tests of this file share one process and its servers. */
const PATIENCE_MS = 60_000;
const HANGS_AFTER_MS = 4 * PATIENCE_MS;
/** How long a fault lasts; `OUTAGE=10` for longer. */
const OUTAGE_MS = Number(process.env['OUTAGE'] ?? 3) * 1000;

/** What goes wrong, to be over when the promise resolves. */
type Fault = (server: RedisServer) => Promise<unknown>;

const faults: Record<string, Fault> = {
  'restarted, with its append-only file': async (server) => {
    await server.shutDown();
    await pause(OUTAGE_MS);
    await server.revive();
  },
  'killed and started again': async (server) => {
    await server.kill();
    await server.revive();
  },
  'paused (CLIENT PAUSE)': async (server) => {
    await server.command('CLIENT', 'PAUSE', String(OUTAGE_MS), 'ALL');
    await pause(OUTAGE_MS);
  },
  'stopped (SIGSTOP)': async (server) => {
    server.freeze();
    await pause(OUTAGE_MS);
    server.thaw();
  },
  'cut off again and again (CLIENT KILL)': async (server) => {
    const end = Date.now() + OUTAGE_MS;
    while (Date.now() < end) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await server.command('SCRIPT', 'FLUSH');
      await pause(200);
    }
  },
};

/** Two processes of the application, whose session data lies in a Redis that nothing happens to. */
async function withDesks(
  settings: DeskSettings,
  play: (parts: { server: RedisServer; desks: readonly [Desk, Desk] }) => Promise<void>,
): Promise<void> {
  const [server, blobs] = await Promise.all([
    RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always'),
    RedisServer.start(),
  ]);
  const desks: Desk[] = [];
  try {
    for (let number = 0; number < 2; number++) {
      desks.push(await Desk.open(server.url, { ...settings, blobs: blobs.url }));
    }
    await play({ server, desks: desks as [Desk, Desk] });
  } finally {
    await Promise.all(desks.map((desk) => desk.close()));
    await Promise.all([server.stop(), blobs.stop()]);
  }
}

describe('3 whatever happens to Redis', () => {
  it.concurrent.each(Object.entries(faults))(
    '%s: no event is lost, nobody ends who was active, no request fails',
    async (_name, fault) => {
      const security = { warnAfter: EXPIRE_AFTER - 1, expireAfter: EXPIRE_AFTER };
      await withDesks({ security, records: { takeOverAfter: 2 } }, async ({ server, desks }) => {
        const handled = new Map<string, Set<string>>();
        for (const { app } of desks) {
          const note = ({ userId, id }: { userId?: string; id: string }): void =>
            void handled.set(userId!, (handled.get(userId!) ?? new Set()).add(id));
          app.get(SessionSecurityEvents).durable('recorder', note, ['expire']);
        }
        const [active, idle] = await Promise.all([
          signedIn(desks, 'active', 10),
          signedIn(desks, 'idle', 10),
        ]);
        const accepted = new Map<string, number>();
        const answers: string[] = [];
        let over = false;
        const stayActive = async ({ user, cookie }: Visitor): Promise<void> => {
          for (let turn = 0; !over; turn++) {
            const { status, body } = await desks[turn % 2]!.call('get', '/whoami', cookie);
            // By this machine's clock, which is Redis's too; a request counts from when it came at the earliest.
            if (status === 200) accepted.set(user, Date.now());
            answers.push(`${status} ${status === 200 ? String(body.user === user) : ''}`);
            await pause(200);
          }
        };
        const activity = Promise.all(active.map(stayActive));
        await pause(500);
        await fault(server);
        await eventually(
          'the idle ones ended',
          () => idle.every(({ user }) => handled.has(user)),
          PATIENCE_MS,
        );
        over = true;
        await activity;

        // Grace serves those whom memory knows to be alive, whatever Redis does.
        expect([...new Set(answers)]).toEqual(['200 true']);
        expect([...handled.keys()].filter((user) => user.startsWith('active'))).toEqual([]);
        await eventually('all ended', () => active.every(({ user }) => handled.has(user)), PATIENCE_MS);
        const ends = await recordedEnds(server, 4);
        expect(ends.map(({ user }) => user).sort()).toEqual(
          [...active, ...idle].map(({ user }) => user).sort(),
        );
        expect([...handled.values()].every((ids) => ids.size === 1)).toBe(true);
        // The answer is noted a little after the activity it tells of.
        const early = ends.filter(
          ({ user, at }) => at < (accepted.get(user) ?? 0) + EXPIRE_AFTER * 1000 - 1000,
        );
        expect(early).toEqual([]);
      });
    },
    HANGS_AFTER_MS,
  );

  it.concurrent(
    'C9 `grace` serves known sessions for its span, and then refuses them with 503 until Redis is back',
    async () => {
      const security = { grace: 10, warnAfter: 50, expireAfter: 60 };
      await withDesks({ security }, async ({ server, desks: [desk, other] }) => {
        const cookie = await desk.signIn();
        const health = desk.app.get(SessionSecurityHealth);
        const frozenAt = Date.now();
        server.freeze();
        try {
          await eventually(
            'the outage noticed',
            () => health.isHealthy().sessions.status === 'down',
            PATIENCE_MS,
          );
          const [known, unknown] = await Promise.all([
            desk.call('get', '/whoami', cookie),
            other.call('get', '/whoami', cookie),
          ]);
          // The process that has never seen the session knows nothing that it could be lenient about.
          expect([known.status, known.body, unknown.status]).toEqual([200, { user: 'anna' }, 503]);
          const refused = await eventually(
            'grace at its end',
            async () => {
              const answer = await desk.call('get', '/whoami', cookie);
              return answer.status !== 200 && answer;
            },
            PATIENCE_MS,
          );
          // Not from what the health says: that is by Redis's clock, which is known as exactly as requests are quick.
          expect(Date.now() - frozenAt).toBeGreaterThanOrEqual(10_000);
          expect(refused.status).toBe(503);
          expect(refused.headers).toMatchObject({
            'content-type': expect.stringMatching(/^application\/problem\+json/),
            'retry-after': expect.any(String),
          });
        } finally {
          server.thaw();
        }
        await eventually('Redis back', () => health.isHealthy().sessions.status === 'up', PATIENCE_MS);
        expect(await desk.userOf(cookie)).toBe('anna');
      });
    },
    HANGS_AFTER_MS,
  );

  it.concurrent.each(['d', 'e'])(
    'C9 an overwritten key of one shard (%s) is an outage for its sessions alone, until it is removed',
    async (name) => {
      const security = { grace: 6, warnAfter: 50, expireAfter: 60 };
      await withDesks({ security }, async ({ server, desks: [desk, other] }) => {
        const health = desk.app.get(SessionSecurityHealth);
        const cookies = new Map<boolean, string>();
        for (let number = 0; cookies.size < 2; number++) {
          const before = (await server.command('KEYS', 'ss:{0}:s:*')) as string[];
          const cookie = await desk.signIn(`user ${number}`);
          const after = (await server.command('KEYS', 'ss:{0}:s:*')) as string[];
          cookies.set(after.length > before.length, cookie);
        }
        const [inFirst, elsewhere] = [cookies.get(true)!, cookies.get(false)!];
        const statuses = async (asked: Desk): Promise<number[]> => {
          const answers = [inFirst, elsewhere].map((cookie) => asked.call('get', '/whoami', cookie));
          return (await Promise.all(answers)).map(({ status }) => status);
        };
        await server.command('SET', `ss:{0}:${name}`, 'x');
        const brokenAt = Date.now();
        await eventually('the failure noticed', () => 'impaired' in health.isHealthy().sessions, PATIENCE_MS);
        expect(await statuses(desk)).toEqual([200, 200]);
        for (const asked of [desk, other]) {
          await eventually('grace at its end', async () => (await statuses(asked))[0] === 503, PATIENCE_MS);
        }
        expect(Date.now() - brokenAt).toBeGreaterThanOrEqual(6000);
        expect((await statuses(other))[1]).toBe(200);
        expect(health.isHealthy().sessions).toEqual({
          status: 'up',
          impaired: [{ since: expect.any(String), message: expect.stringContaining(`DEL ss:{0}:${name}`) }],
        });
        await server.command('DEL', `ss:{0}:${name}`);
        await eventually('all well', async () => (await statuses(other))[0] === 200, PATIENCE_MS);
        await eventually('all well', async () => (await statuses(desk))[0] === 200, PATIENCE_MS);
        expect(health.isHealthy().sessions).toEqual({ status: 'up' });
      });
    },
    HANGS_AFTER_MS,
  );

  it.concurrent(
    'C9 `grace: 0` refuses with a clean 503 from the moment at which the outage is known',
    async () => {
      const security = { grace: 0, warnAfter: 50, expireAfter: 60 };
      await withDesks({ security }, async ({ server, desks: [desk] }) => {
        const cookie = await desk.signIn();
        const health = desk.app.get(SessionSecurityHealth);
        server.freeze();
        try {
          await eventually(
            'the outage noticed',
            () => health.isHealthy().sessions.status === 'down',
            PATIENCE_MS,
          );
          const { body } = await desk.call('get', '/whoami', cookie).expect(503);
          expect(body).toMatchObject({ status: 503, code: 'session_store_unavailable' });
        } finally {
          server.thaw();
        }
        await eventually('Redis back', () => health.isHealthy().sessions.status === 'up', PATIENCE_MS);
        expect(await desk.userOf(cookie)).toBe('anna');
      });
    },
    HANGS_AFTER_MS,
  );
});

describe('3 with the rights that docs/redis.md names', () => {
  const PASSWORD = 'choose-a-password';

  /** The lines to be copied, as they stand on the page. */
  function rules(): string[][] {
    const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
    return [...page.matchAll(/^ACL SETUSER .*$/gm)].map(([line]) => line.split(' '));
  }
  const urlOf = (server: RedisServer): string => `redis://sessions:${PASSWORD}@127.0.0.1:${server.port}`;
  /** What was denied, but for the names that clients give themselves, which they do without. */
  async function denied(server: RedisServer): Promise<string[]> {
    const log = (await server.command('ACL', 'LOG')) as string[][];
    const objects = log.map((entry) => entry[entry.indexOf('object') + 1]!);
    return objects.filter((object) => !/^client/.test(object));
  }

  it.concurrent.each(['redis 6', 'ioredis 6'])(
    'a store of %s can do all that it does, and neither CONFIG nor SUBSCRIBE nor other keys',
    async (name) => {
      const server = await RedisServer.start();
      try {
        await server.command(...rules()[0]!);
        const { client, close } = await clients[name]!(urlOf(server));
        const member = await Member.join(client, { takeOverAfter: 0.3, maxDeliveries: 2, retention: 0.001 });
        let tries = 0;
        const handler = (): Promise<void> =>
          tries++ < 9 ? Promise.reject(new Error('no')) : Promise.resolve();
        member.store.deliver('mail', handler, ['end']);
        const record = await member.start('sid', 0.1, 3, 'anna');
        await member.store.adjust({
          ...record,
          limits: { warnAfter: 0.1, expireAfter: 0.2, maxLifetime: null },
        });
        await member.store.touch([{ id: record.id, lastActivityAt: member.clock.now() }]);
        const ended = await member.start('another', 5, 10, 'anna');
        expect(await member.store.ofUser('anna')).toHaveLength(2);
        expect(await member.store.end(ended.id, 'logout')).toBeDefined();
        expect(await member.store.grave(ended.id)).toMatchObject({ reason: 'logout' });
        await eventually(
          'the expiry',
          async () => (await member.look()).some(({ kind }) => kind === 'expire'),
          PATIENCE_MS,
        );
        const aside = async (): Promise<number> => {
          await member.look();
          const lengths = await Promise.all([0, 1, 2, 3].map((k) => server.command('XLEN', `ss:{${k}}:x`)));
          return (lengths as number[]).reduce((sum, length) => sum + length, 0);
        };
        await eventually('both set aside', async () => (await aside()) === 2, PATIENCE_MS);
        await member.trim();
        // Deadlines that are lost and filed anew.
        await server.command('SET', 'ss:{0}:d', 'x');
        await member.look();
        await server.command('DEL', 'ss:{0}:d');
        await member.look();
        await member.store.close();
        close();
        expect(await denied(server)).toEqual([]);

        const bare = await createClient({ url: urlOf(server), RESP: 2 }).connect();
        const forbidden = [
          ['CONFIG', 'GET', '*'],
          ['SUBSCRIBE', 'channel'],
          ['KEYS', '*'],
          ['FLUSHALL'],
          ['GET', 'other'],
        ];
        for (const command of forbidden) await expect(bare.sendCommand(command)).rejects.toThrow(/NOPERM/);
        bare.destroy();
      } finally {
        await server.stop();
      }
    },
    HANGS_AFTER_MS,
  );

  it.concurrent(
    'an application works, with its session data beside',
    async () => {
      const server = await RedisServer.start();
      try {
        for (const rule of rules()) await server.command(...rule);
        const desk = await Desk.open(urlOf(server));
        const ends: string[] = [];
        desk.app.get(SessionSecurityEvents).durable('recorder', ({ reason }) => ends.push(reason), ['end']);
        const [left, right] = [await desk.signIn('anna'), await desk.signIn('ben')];
        await desk.call('post', '/logout', left).expect(201);
        expect([await desk.userOf(left), await desk.userOf(right)]).toEqual([null, 'ben']);
        await eventually('both ended', () => ends.length === 2, PATIENCE_MS);
        expect(ends).toEqual(['logout', 'idle']);
        await desk.close();
        expect(await denied(server)).toEqual([]);
      } finally {
        await server.stop();
      }
    },
    HANGS_AFTER_MS,
  );
});

interface Visitor {
  readonly user: string;
  readonly cookie: string;
}

/** People who have signed in; every process has seen each of them. */
async function signedIn(desks: readonly [Desk, Desk], name: string, count: number): Promise<Visitor[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const user = `${name}-${number}`;
      const cookie = await desks[0].signIn(user);
      await desks[1].userOf(cookie);
      return { user, cookie };
    }),
  );
}
