import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Post, Req } from '@nestjs/common';
import { MemoryStore } from 'express-session';
import { merge } from 'rxjs';
import {
  OnSessionEnd,
  OnSessionExpire,
  SessionSecurityEvents,
  type SessionSecurityRequest,
  SessionSecurityService,
} from '../../lib/index.js';
import { SessionGate } from '../../lib/http/gate/session-gate.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

@Controller()
class ReauthenticationController {
  constructor(private readonly security: SessionSecurityService) {}

  @Post('reauthenticated')
  reauthenticated(@Req() request: SessionSecurityRequest): Promise<boolean> {
    return this.security.reauthenticated(request);
  }
}

describe('V events', () => {
  let desk: WatchedApp;
  const open = async (options?: WatchedAppOptions): Promise<void> => {
    desk = await WatchedApp.start(options);
  };
  afterEach(() => desk.close());

  it('V1 start, warn, renew, warn, expire and end, each with user, instants, idle time and lateness', async () => {
    await open();
    const begin = desk.clock.now();
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    await browser.user();
    await desk.clock.advance(11);
    const story = desk.log.events.map(({ kind, recordedAt, idleMs }) => [kind, recordedAt - begin, idleMs]);
    expect(story).toEqual([
      ['start', 0, 0],
      ['warn', 5_000, 5_000],
      ['renew', 6_000, 0],
      ['warn', 11_000, 5_000],
      ['expire', 16_000, 10_000],
      ['end', 16_000, 10_000],
    ]);
    expect(desk.log.of('expire')[0]).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      kind: 'expire',
      reason: 'idle',
      session: expect.stringMatching(/^[\w-]{22}$/),
      userId: 'anna',
      startedAt: begin,
      lastActivityAt: begin + 6_000,
      dueAt: begin + 16_000,
      recordedAt: begin + 16_000,
      idleMs: 10_000,
      lateMs: 0,
    });
    expect(new Set(desk.log.events.map(({ id }) => id)).size).toBe(6);
  });

  const kinds = (): string[] => desk.log.events.map(({ kind }) => kind);

  const FRACTIONS = { warnAfter: 5.00037, expireAfter: 10.00037 };

  function expectWholeNumbers(): void {
    const numbers = desk.log.events.map((event) =>
      Object.entries(event).filter(([, value]) => typeof value === 'number'),
    );
    expect(numbers.flat().filter(([, value]) => !Number.isInteger(value))).toEqual([]);
  }

  it('V1 all milliseconds are whole, whatever fractions browsers and options say, and nothing is early', async () => {
    await open({ security: { ...FRACTIONS, maxLifetime: 20.00037 } });
    const begin = desk.clock.now();
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    await browser.ping({ idleFor: 0.12345 }).expect(200);
    const [listed] = await desk.security.list('anna');
    expect(listed).toMatchObject({ lastActivityAt: begin + 5_877, idleFor: 0.123, expireIn: 9.878 });
    await desk.clock.advance(11);
    expect(kinds()).toEqual(['start', 'warn', 'renew', 'warn', 'expire', 'end']);
    expect(
      desk.log.events.slice(1).flatMap((event) => ('dueAt' in event ? event.dueAt - begin : [])),
    ).toEqual([5_001, 10_878, 15_878, 15_878]);
    expectWholeNumbers();
  });

  it('V1 so are those of a session that is taken over from a process that died', async () => {
    const store = new MemoryStore();
    const security = { ...FRACTIONS, flushInterval: 1.00037 };
    await open({ store, security });
    const begin = desk.clock.now();
    const browser = await desk.signedIn();
    desk.app.get(SessionGate).release();
    await desk.close();
    await open({ store, security, clock: new VirtualClock(begin + 6_000) });
    await browser.moveTo(desk).state();
    await desk.clock.advance(6);
    expect(desk.log.of('end')).toMatchObject([{ lastActivityAt: begin + 1_001, dueAt: begin + 11_002 }]);
    expectWholeNumbers();
  });

  it('V1 a re-authentication calls a warning of the lifetime off, which is told once', async () => {
    await open({ controllers: [ReauthenticationController], security: { maxLifetime: 20 } });
    const browser = await desk.signedIn();
    for (const seconds of [4, 4, 4, 4]) {
      await desk.clock.advance(seconds);
      await browser.user();
    }
    // No activity moves the lifetime.
    expect(kinds()).toEqual(['start', 'warn']);
    await browser.post('/reauthenticated').expect(201);
    await browser.user();
    expect(kinds()).toEqual(['start', 'warn', 'renew']);
    await desk.clock.advance(5);
    expect(kinds()).toEqual(['start', 'warn', 'renew', 'warn']);
  });

  it.each([
    ['activity', (browser: Browser) => browser.user()],
    ['a request that is no activity', (browser: Browser) => browser.state()],
  ])('V1 S13 longer limits call a warning off, which is told once: brought by %s', async (_, bring) => {
    let limits = { warnAfter: 5, expireAfter: 20 };
    await open({ security: { limits: () => limits } });
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    limits = { warnAfter: 5, expireAfter: 30 };
    await browser.state();
    expect(kinds()).toEqual(['start', 'warn']);
    limits = { warnAfter: 15, expireAfter: 30 };
    await bring(browser);
    await browser.user();
    expect(kinds()).toEqual(['start', 'warn', 'renew']);
    await desk.clock.advance(15);
    expect(kinds()).toEqual(['start', 'warn', 'renew', 'warn']);
  });

  it('V1 no event and no log line ever carries the session id', async () => {
    await open({ security: { onExpired: 'reject' } });
    const browser = await desk.signedIn();
    const { sessionId } = browser;
    await desk.clock.advance(6);
    await browser.user();
    await desk.clock.advance(12);
    const refused = await browser.get('/whoami').expect(401);
    const said = JSON.stringify([
      desk.log.events,
      desk.messages.lines,
      refused.body,
      refused.headers,
      desk.stored(),
    ]);
    expect(said).toContain('session_expired');
    expect(said).not.toContain(sessionId);
  });

  it('V1 the streams tell the same as the decorated methods', async () => {
    await open();
    const heard: string[] = [];
    const events = desk.app.get(SessionSecurityEvents);
    merge(events.start$, events.warn$, events.renew$, events.expire$, events.end$).subscribe(({ kind }) =>
      heard.push(kind),
    );
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    await browser.user();
    await browser.post('/logout');
    expect(heard).toEqual(['start', 'warn', 'renew', 'end']);
    expect(heard).toEqual(kinds());
  });

  it('V2 1,000 idle sessions and no request at all: 1,000 expire events within E + 2 s, and nothing is left', async () => {
    await open();
    const begin = desk.clock.now();
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => desk.signedIn(`user ${batch * 50 + index}`)),
      );
    }
    expect(Object.keys(desk.stored())).toHaveLength(2_000);
    await desk.clock.advance(12);
    expect(new Set(desk.log.of('expire').map(({ userId }) => userId)).size).toBe(1_000);
    expect(desk.log.of('expire')).toHaveLength(1_000);
    expect(
      Math.max(...desk.log.of('expire').map(({ recordedAt }) => recordedAt - begin)),
    ).toBeLessThanOrEqual(12_000);
    expect(desk.stored()).toEqual({});
  });

  it('V2 a session that was active is not among them', async () => {
    await open();
    const [anna, ben] = [await desk.signedIn('anna'), await desk.signedIn('ben')];
    await desk.clock.advance(9);
    await ben.user();
    await desk.clock.advance(5);
    expect(desk.log.of('expire').map(({ userId }) => userId)).toEqual(['anna']);
    expect([await anna.user(), await ben.user()]).toEqual([null, 'ben']);
  });

  it('V3 a handler that throws, rejects or hangs disturbs neither requests nor other handlers', async () => {
    @Injectable()
    class Faulty {
      @OnSessionExpire()
      throws(): void {
        throw new Error('the mail server is away');
      }

      @OnSessionExpire()
      rejects(): Promise<void> {
        return Promise.reject(new Error('the database is away'));
      }

      @OnSessionEnd()
      hangs(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    await open({ providers: [Faulty] });
    const browser = await desk.signedIn();
    await desk.clock.advance(11);
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('expire')).toHaveLength(1);
    expect(desk.log.of('end')).toHaveLength(1);
    expect(
      desk.messages.matching(/Faulty\.throws failed .* expire event .*the mail server is away/),
    ).toHaveLength(1);
    expect(desk.messages.matching(/Faulty\.rejects failed .*the database is away/)).toHaveLength(1);
  });

  it('V3 a subscriber of a stream that throws disturbs neither the process nor other handlers', async () => {
    await open();
    desk.app.get(SessionSecurityEvents).expire$.subscribe(() => {
      throw new Error('the desk has no bell');
    });
    await desk.signedIn();
    await desk.signedIn('ben');
    await desk.clock.advance(11);
    expect(desk.log.of('expire')).toHaveLength(2);
    expect(desk.messages.matching(/^A subscriber of expire\$ failed: .*the desk has no bell/)).toHaveLength(
      2,
    );
  });

  it('V1 the last events are told before the application has closed', async () => {
    await open();
    const completed: string[] = [];
    desk.app.get(SessionSecurityEvents).end$.subscribe({ complete: () => completed.push('end$') });
    await desk.close();
    expect(completed).toEqual(['end$']);
    await open();
  });
});
