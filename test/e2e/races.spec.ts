import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, type CanActivate, Controller, Get, Injectable, Post, Req, Res } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import session from 'express-session';
import { ActivityTracker } from '../../lib/activity/activity-tracker.js';
import { Passive, SessionSecurityService } from '../../lib/index.js';
import { dataOf, interceptEarly, onExpress, rawOf, serveRawSlowly } from '../support/adapters.js';
import { type HeldCall, HeldStore, isRecord, isSession } from '../support/held-store.js';
import { Faults } from '../support/stores/faults.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

interface DeskRequest {
  url: string;
  user?: null;
  session: { user?: { id: string }; cookie: unknown; regenerate(callback: () => void): void };
}

/** What waits here goes on when the test says so. */
class Door {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  open: () => void = () => undefined;
  #reach: () => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#opened = new Promise((resolve) => (this.open = resolve));
  }

  pass(): Promise<void> {
    this.#reach();
    return this.#opened;
  }
}

let door = new Door();

/** A guard of the application, before the module's own. */
@Injectable()
class SlowGuard implements CanActivate {
  async canActivate(context: { switchToHttp(): { getRequest(): DeskRequest } }): Promise<boolean> {
    if (context.switchToHttp().getRequest().url.startsWith('/guarded')) await door.pass();
    return true;
  }
}

@Controller()
class SlowDesk {
  constructor(private readonly security: SessionSecurityService) {}

  @Get('guarded')
  guarded(@Req() request: DeskRequest): { user: string | null } {
    return { user: request.session.user?.id ?? null };
  }

  @Get('slow')
  async slow(): Promise<object> {
    await door.pass();
    return {};
  }

  @Post('guarded-sign-in')
  async guardedSignIn(@Req() request: DeskRequest, @Body() user: { id: string }): Promise<object> {
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    request.session.user = user;
    return {};
  }

  /** Under the session id that is there, as it should not be done. */
  @Post('sign-in-slowly')
  @Passive()
  async signInSlowly(@Req() request: DeskRequest): Promise<object> {
    await door.pass();
    request.session.user = { id: 'ben' };
    return {};
  }

  @Post('forget-slowly')
  async forgetSlowly(@Req() request: DeskRequest): Promise<object> {
    await door.pass();
    delete request.session.user;
    return {};
  }

  @Post('rotate-slowly')
  async rotateSlowly(@Req() request: DeskRequest): Promise<object> {
    await door.pass();
    const data = dataOf(request.session);
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    Object.assign(request.session, data);
    return {};
  }

  /** The same at once, and takes its time when the new id is there. */
  @Post('rotate-and-wait')
  async rotateAndWait(@Req() request: DeskRequest): Promise<object> {
    const data = dataOf(request.session);
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    Object.assign(request.session, data);
    await door.pass();
    return {};
  }

  @Post('end')
  async end(@Req() request: DeskRequest): Promise<object> {
    await this.security.end(request as never);
    return {};
  }

  /** As Passport's `logout` does. */
  @Post('start-over')
  async startOver(@Req() request: DeskRequest): Promise<object> {
    request.user = null;
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    return {};
  }

  @Post('end-and-sign-in')
  async endAndSignIn(@Req() request: DeskRequest): Promise<object> {
    await this.security.end(request as never);
    door.open();
    return this.signInAsAnna(request);
  }

  @Post('sign-in-as-anna')
  async signInAsAnna(@Req() request: DeskRequest): Promise<object> {
    await door.pass();
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    request.session.user = { id: 'anna' };
    return {};
  }

  /** Takes along who is signed in, and nothing else. */
  @Post('take-along-slowly')
  async takeAlongSlowly(@Req() request: DeskRequest): Promise<object> {
    const { user } = request.session;
    await door.pass();
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    if (user) request.session.user = user;
    return {};
  }

  /** The same, and takes its time when the new id is there. */
  @Post('take-along-and-wait')
  async takeAlongAndWait(@Req() request: DeskRequest): Promise<object> {
    const { user } = request.session;
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    if (user) request.session.user = user;
    await door.pass();
    return {};
  }

  /** As a sign-in page does whose answer is sent by the handler itself. */
  @Post('take-along-and-send')
  async takeAlongAndSend(
    @Req() request: DeskRequest,
    @Res() response: { send(body: object): void },
  ): Promise<void> {
    await this.takeAlongSlowly(request);
    response.send({});
  }

  /** Passes the door when the response is over, one way or the other. */
  @Post('rotate-and-tell')
  async rotateAndTell(
    @Req() request: DeskRequest,
    @Res({ passthrough: true }) response: object,
  ): Promise<object> {
    rawOf<ServerResponse>(response).once('close', () => void door.pass());
    const data = dataOf(request.session);
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    Object.assign(request.session, data);
    return {};
  }

  /** As express-session's documentation shows it. */
  @Post('sign-in-by-callback')
  signInByCallback(@Req() request: DeskRequest, @Res() response: { send(body: object): void }): void {
    request.session.regenerate(() => {
      request.session.user = { id: 'ben' };
      response.send({});
    });
  }

  @Post('sign-in-and-answer')
  signInAndAnswer(@Req() request: DeskRequest, @Res() response: { send(body: object): void }): void {
    request.session.user = { id: 'ben' };
    response.send({});
  }

  /** Returns before the new id is there, and ends the response itself. */
  @Post('rotate-by-callback')
  rotateByCallback(@Req() request: DeskRequest, @Res() response: { send(body: object): void }): void {
    const data = dataOf(request.session);
    request.session.regenerate(() => {
      Object.assign(request.session, data);
      response.send({});
    });
  }
}

/** Races that the simulation found, each as plain as it can be told. */
describe('no race makes two of one, or one of two', () => {
  let desk: WatchedApp;
  let store: HeldStore;
  const open = async (options: WatchedAppOptions = {}): Promise<void> => {
    door = new Door();
    store = new HeldStore();
    const providers = [{ provide: APP_GUARD, useClass: SlowGuard }];
    desk = await WatchedApp.start({ store, controllers: [SlowDesk], providers, ...options });
  };
  afterEach(() => desk.close());

  /** A copy of the browser asks, and the application takes its time before the handler; answers what lets the request go on. */
  const heldBefore = async (browser: Browser): Promise<() => Promise<unknown>> => {
    const answer = browser
      .copy()
      .get('/guarded')
      .then(({ body }) => body);
    await door.reached;
    return () => {
      door.open();
      return answer;
    };
  };

  const soon = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 20));

  it.each<[string, () => unknown]>([
    ['has expired', () => desk.clock.jump(10)],
    ['was signed out', () => desk.security.endAll('anna')],
  ])('a session that %s while a guard of the application took its time is not served', async (_, end) => {
    await open();
    const goOn = await heldBefore(await desk.signedIn());
    await end();
    expect(await goOn()).toEqual({ user: null });
  });

  it.each<[string, string, (browser: Browser) => Promise<unknown>]>([
    ['somebody else signs in', 'ben', () => Promise.resolve()],
    ['the same user signs out and in again', 'anna', (browser) => browser.post('/forget').expect(201)],
  ])('a request on its way ends nobody when %s under the same session id', async (_, user, leave) => {
    await open();
    const browser = await desk.signedIn();
    const goOn = await heldBefore(browser);
    await leave(browser);
    await browser.post('/login', { user, regenerate: false }).expect(201);
    expect(await goOn()).toEqual({ user: null });
    expect(await browser.user()).toBe(user);
    expect(desk.log.of('end')).toHaveLength(1);
  });

  /** Two requests that have read the same session; each will give its id up for another when it is told to. */
  const givenUpByTwo = async (): Promise<{
    one: Browser;
    other: Browser;
    rotations: [() => Promise<unknown>, () => Promise<unknown>];
  }> => {
    const one = await desk.signedIn();
    const other = one.copy();
    const rotating = async (browser: Browser): Promise<() => Promise<unknown>> => {
      const ownDoor = (door = new Door());
      const answer = browser.post('/rotate-slowly').then();
      await ownDoor.reached;
      return () => {
        ownDoor.open();
        return answer;
      };
    };
    return { one, other, rotations: [await rotating(one), await rotating(other)] };
  };

  it('a sign-out ends also what a parallel rotation made of the session while the store was slow', async () => {
    await open();
    const { one, other, rotations } = await givenUpByTwo();
    const held = store.hold('set', isRecord);
    const first = rotations[0]();
    await held.reached;
    await rotations[1]();
    held.release();
    await first;
    expect([await one.user(), await other.user()]).toEqual(['anna', 'anna']);
    await other.post('/logout').expect(201);
    expect(await one.user()).toBeNull();
  });

  it('longer limits do not revive a session that has expired by those before', async () => {
    let expireAfter = 10;
    await open({ security: { limits: () => ({ warnAfter: 5, expireAfter }) } });
    const browser = await desk.signedIn();
    const goOn = await heldBefore(browser);
    desk.clock.jump(12);
    expireAfter = 60;
    expect(await goOn()).toEqual({ user: null });
    expect(desk.log.of('expire')).toEqual([expect.objectContaining({ reason: 'idle', lateMs: 2000 })]);
  });

  it('a session that ends while the store reads it is not given out', async () => {
    await open();
    const browser = await desk.signedIn();
    const held = store.hold('get', isSession);
    const read = new Promise((resolve) => store.get(browser.sessionId, (_, data) => resolve(data)));
    await held.reached;
    await desk.security.endAll('anna');
    held.release();
    expect(await read).toBeUndefined();
  });

  it('a warning does not wait until the store has confirmed the end of another session', async () => {
    await open();
    await desk.signedIn('anna');
    await desk.clock.advance(5);
    await desk.signedIn('ben');
    const held = store.hold('get', isRecord);
    const tick = desk.clock.advance(5);
    await held.reached;
    expect(desk.log.of('warn').map(({ userId }) => userId)).toEqual(['anna', 'ben']);
    held.release();
    await tick;
    expect(desk.log.of('expire').map(({ userId }) => userId)).toEqual(['anna']);
  });

  it('an end that the store carried out and reported as failed is told, once', async () => {
    await open();
    await desk.signedIn();
    store.failOnce('destroy', isRecord);
    await desk.clock.advance(15);
    expect(desk.log.of('expire')).toHaveLength(1);
    expect(desk.stored()).toEqual({});
  });

  it('a sign-in under the id of a session that just expires begins nothing that nobody could use', async () => {
    await open();
    const browser = await desk.signedIn();
    await desk.clock.advance(9);
    const signIn = browser.copy().post('/sign-in-slowly').then();
    await door.reached;
    const removal = store.hold('destroy', isRecord);
    const tick = desk.clock.advance(1);
    await removal.reached;
    door.open();
    await soon();
    removal.release();
    await Promise.all([tick, signIn]);
    await desk.clock.advance(2);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'warn', 'expire', 'end']);
    expect(await browser.user()).toBeNull();
    expect(desk.stored()).toEqual({});
  });

  it('an end that was told is not told again when a record that could not be removed is found later', async () => {
    await open();
    const browser = await desk.signedIn();
    const before = desk.stored()[browser.sessionId];
    store.failOnce('get', isRecord);
    await browser.post('/forget');
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    // A request of before writes the session back, and the next one finds it.
    await new Promise((resolve) => store.set(browser.sessionId, before, resolve));
    store.failOnce('destroy', isRecord);
    expect(await browser.user()).toBeNull();
    await desk.clock.advance(2);
    expect(desk.log.of('end')).toHaveLength(1);
    expect(Object.keys(desk.stored()).filter(isRecord)).toEqual([]);
  });

  it('a sign-out from a session that the store does not give out ends it under all its ids', async () => {
    await open();
    const { one, other, rotations } = await givenUpByTwo();
    for (const rotation of rotations) await rotation();
    expect([await one.user(), await other.user()]).toEqual(['anna', 'anna']);
    expect(one.sessionId).not.toBe(other.sessionId);
    store.failOnce('get', isSession);
    await one.post('/session-security/end').expect(200);
    expect([await one.user(), await other.user()]).toEqual([null, null]);
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['logout', 'logout']);
  });

  it('a sign-out of somebody whose session was replaced is none of who took their place, also while its id is given up', async () => {
    await open();
    const browser = await desk.signedIn('ben');
    const begun = async (path: string): Promise<{ open: () => void; answer: Promise<unknown> }> => {
      const own = (door = new Door());
      const answer = browser.copy().post(path).then();
      await own.reached;
      return { open: own.open, answer };
    };
    const [rotation, signOut] = [await begun('/rotate-slowly'), await begun('/forget-slowly')];
    await browser.post('/login', { user: 'cleo', regenerate: false }).expect(201);
    const removal = store.hold('destroy', isSession);
    rotation.open();
    await removal.reached;
    signOut.open();
    await signOut.answer;
    expect(desk.log.of('end').map(({ userId }) => userId)).toEqual(['ben']);
    removal.release();
    await rotation.answer;
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['replaced', 'replaced']);
  });

  it('an anonymous request that ends after somebody signed in beside it does not sign them out', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { basket: 1 });
    const slow = browser.copy().get('/slow').then();
    await door.reached;
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    door.open();
    await slow;
    expect(desk.log.of('end')).toEqual([]);
    expect(await browser.user()).toBe('anna');
  });

  it('a request of somebody whose session was replaced under the same id does not bring them back', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    const slow = browser.copy().get('/slow').then();
    await door.reached;
    await browser.post('/login', { user: 'ben', regenerate: false }).expect(201);
    door.open();
    await slow;
    expect(desk.log.of('start').map(({ userId }) => userId)).toEqual(['anna', 'ben']);
    expect(await browser.user()).toBe('ben');
  });

  it('who signs in under the id of a session that is just being ended with others is not ended with it', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    const known = Object.keys(desk.stored());
    await desk.signedIn('cleo');
    const slow = browser.copy().post('/sign-in-slowly').then();
    await door.reached;
    const isOfCleo = (key: string): boolean => isRecord(key) && !known.includes(key);
    const held = store.hold('destroy', isOfCleo);
    const passing = desk.clock.advance(10);
    await held.reached;
    door.open();
    await slow;
    held.release();
    await passing;
    await desk.clock.advance(1);
    expect(await browser.user()).toBe('ben');
    const ends = desk.log.of('end').map(({ userId, reason }) => [userId, reason]);
    expect(ends).toHaveLength(2);
    expect(ends).toEqual(
      expect.arrayContaining([
        ['anna', 'replaced'],
        ['cleo', 'idle'],
      ]),
    );
    await desk.clock.advance(12);
    expect(Object.keys(desk.stored()).filter(isRecord)).toEqual([]);
  });

  it('a request that writes the session of somebody who was replaced back does not end who took their place', async () => {
    await open();
    const browser = await desk.signedIn('anna');
    const before = desk.stored()[browser.sessionId] as never;
    await browser.post('/login', { user: 'ben', regenerate: false }).expect(201);
    await new Promise((resolve) => store.set(browser.sessionId, before, resolve));
    expect(await browser.user()).toBe('ben');
    expect(desk.log.of('end').map(({ userId }) => userId)).toEqual(['anna']);
  });

  it('of two who sign in at once under the id of a third the second takes nobody away untold', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    const slow = browser.copy().post('/sign-in-slowly').then();
    await door.reached;
    const held = store.hold('set', isRecord);
    const quick = browser.post('/login', { user: 'cleo', regenerate: false }).then();
    await held.reached;
    door.open();
    await soon();
    held.release();
    await Promise.all([slow, quick]);
    expect(desk.log.of('start').map(({ userId }) => userId)).toEqual(['anna', 'cleo']);
    expect(desk.log.of('end').map(({ userId, reason }) => [userId, reason])).toEqual([['anna', 'replaced']]);
    expect(await browser.user()).toBe('cleo');
  });

  it('a request of somebody who was replaced does not follow who took their place to another id', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    const goOn = await heldBefore(browser);
    await browser.post('/login', { user: 'ben', regenerate: false }).expect(201);
    await browser.post('/rotate').expect(201);
    expect(await goOn()).toEqual({ user: null });
    expect(await browser.user()).toBe('ben');
  });

  /** A new process looks for the record of a request's session, and gives that another id meanwhile. */
  const rotatedWhileLookedFor = async (
    which: string,
    ask: (slow: Browser) => Promise<unknown>,
    rotate: (browser: Browser) => Promise<unknown> = (browser) => browser.post('/rotate').expect(201),
  ): Promise<Browser> => {
    await open();
    const browser = await desk.signedIn();
    await desk.close();
    desk = await WatchedApp.start({ store, clock: desk.clock, controllers: [SlowDesk] });
    browser.moveTo(desk);
    const listing = store.hold('all');
    if (which === 'a later request') await desk.browser().user();
    const held = store.hold('get', isRecord);
    const slow = ask(browser.copy());
    await Promise.all([held.reached, listing.reached]);
    listing.release();
    await desk.app.get(ActivityTracker).recovered();
    await rotate(browser);
    held.release();
    await slow;
    return browser;
  };

  it.each(['the first request', 'a later request'])(
    'a session that is given another id while %s of a process looks for its record lives on',
    async (which) => {
      const browser = await rotatedWhileLookedFor(which, (slow) => slow.user());
      expect(await browser.user()).toBe('anna');
      expect(desk.log.of('end')).toEqual([]);
    },
  );

  it.each(['/session-security/end', '/logout'])(
    'a sign-out ends a session also that is being given another id while its record is looked for: %s',
    async (signOut) => {
      let rotation: Promise<unknown> | undefined;
      const browser = await rotatedWhileLookedFor(
        'a later request',
        (slow) => slow.post(signOut).then(),
        (rotating) => {
          rotation = rotating.post('/rotate-and-wait').then();
          return door.reached;
        },
      );
      door.open();
      await rotation;
      expect(await browser.user()).toBeNull();
      expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    },
  );

  it('a session that is ended while its id is being changed does not go on under the new one', async () => {
    await open();
    const browser = await desk.signedIn();
    const held = store.hold('destroy', isSession);
    const rotation = browser.post('/rotate').then();
    await held.reached;
    await desk.security.endAll('anna');
    held.release();
    await rotation;
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'revoked' })]);
  });

  it('a sign-out counts also in a request that goes on with the session under its new id', async () => {
    await open();
    const browser = await desk.signedIn();
    const held = store.hold('get', isSession);
    const signOut = browser.copy().post('/forget').then();
    await held.reached;
    await browser.post('/rotate').expect(201);
    held.release();
    await signOut;
    expect(await browser.user()).toBeNull();
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
  });

  it('a sign-out ends also what a slow rotation made of a session whose id has changed again since', async () => {
    await open();
    const browser = await desk.signedIn();
    const slow = browser.copy();
    const rotation = slow.post('/rotate-slowly').then();
    await door.reached;
    await browser.post('/rotate').expect(201);
    await browser.post('/rotate').expect(201);
    door.open();
    await rotation;
    expect(await slow.user()).toBe('anna');
    await browser.post('/logout').expect(201);
    expect(await slow.user()).toBeNull();
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['logout', 'logout']);
  });

  /** Everything that ends a session because somebody wants it. */
  const WITHDRAWALS: [name: string, end: (browser: Browser) => Promise<unknown>][] = [
    ['a sign-out', (browser) => browser.post('/logout').expect(201)],
    ['a sign-out that keeps the session id', (browser) => browser.post('/forget').expect(201)],
    ["the client's sign-out", (browser) => browser.post('/session-security/end').expect(200)],
    ['a revocation', () => desk.security.endAll('anna')],
    [
      'a sign-out under another id',
      async (browser) => {
        await browser.post('/rotate').expect(201);
        await browser.post('/logout').expect(201);
      },
    ],
  ];

  const takingAlong = async (
    path: string,
    options?: WatchedAppOptions,
  ): Promise<{ browser: Browser; slow: Browser; done: () => Promise<unknown> }> => {
    await open(options);
    const browser = await desk.signedIn();
    const slow = browser.copy();
    const taking = slow.post(path).then();
    await door.reached;
    return { browser, slow, done: () => (door.open(), taking) };
  };

  const expectNobody = async (browsers: Browser[], ends: number): Promise<void> => {
    expect(await Promise.all(browsers.map((each) => each.user()))).toEqual(browsers.map(() => null));
    expect(desk.log.of('start')).toHaveLength(1);
    expect(desk.log.of('end')).toHaveLength(ends);
    expect(await desk.security.list('anna')).toEqual([]);
    expect(Object.values(desk.stored()).filter(({ user }) => user)).toEqual([]);
  };

  const takeAlong = async (request: DeskRequest, pass: 'before' | 'after'): Promise<object> => {
    const { user } = request.session;
    if (pass === 'before') await door.pass();
    await new Promise<void>((resolve) => request.session.regenerate(resolve));
    if (user) request.session.user = user;
    if (pass === 'after') await door.pass();
    return { user };
  };

  /** Handlers that no guard and no interceptor sees. */
  const RAW: WatchedAppOptions = {
    configure: (app, useSession) => {
      useSession();
      serveRawSlowly<DeskRequest>(app, '/raw-take-along-slowly', (request) => takeAlong(request, 'before'));
      serveRawSlowly<DeskRequest>(app, '/raw-take-along-and-wait', (request) => takeAlong(request, 'after'));
    },
  };

  describe.each(WITHDRAWALS)('%s is final', (_, end) => {
    it('for a raw handler that takes the user along under another id later', async () => {
      const { browser, slow, done } = await takingAlong('/raw-take-along-slowly', RAW);
      await end(browser);
      await done();
      await expectNobody([browser, slow], 1);
    });

    onExpress('for middleware that takes the user along before the session has been judged', async () => {
      const { browser, slow, done } = await takingAlong('/guest', {
        configure: (app, useSession) => {
          useSession();
          app.use('/guest', (request: DeskRequest, _response: unknown, next: () => void) => {
            void takeAlong(request, 'before').then(next);
          });
          app.use('/guest', (request: DeskRequest, response: { json(body: object): void }) =>
            response.json({ user: request.session.user ?? null }),
          );
        },
      });
      await end(browser);
      await done();
      await expectNobody([browser, slow], 1);
    });

    it.each(['/take-along-slowly', '/take-along-and-send'])(
      'for a handler that takes the user along under another id later: %s',
      async (path) => {
        const { browser, slow, done } = await takingAlong(path);
        await end(browser);
        await done();
        await expectNobody([browser, slow], 1);
      },
    );
  });

  describe.each([
    ['/session-security/end', 200],
    ['/end', 201],
    ['/logout', 201],
    ['/start-over', 201],
  ])('a sign-out with the cookie of before a rotation is final: %s', (signOut, status) => {
    it.each(['/rotate-and-wait', '/take-along-and-wait', '/raw-take-along-and-wait'])(
      'while the rotation is being answered: %s',
      async (path) => {
        const { browser, slow, done } = await takingAlong(path, RAW);
        await browser.post(signOut).expect(status);
        await done();
        await expectNobody([browser, slow], 1);
      },
    );

    it('when the rotation has been answered', async () => {
      await open();
      const browser = await desk.signedIn();
      const late = browser.copy();
      await browser.post('/rotate').expect(201);
      await late.post(signOut).expect(status);
      await expectNobody([browser, late], 1);
    });

    it.each(['bob', 'anna'])('and ends nobody who has signed in under the new id since: %s', async (user) => {
      await open();
      const browser = await desk.signedIn('anna');
      const late = browser.copy();
      await browser.post('/rotate').expect(201);
      await browser.post('/forget').expect(201);
      await browser.post('/login', { user, regenerate: false }).expect(201);
      await late.post(signOut);
      expect(await browser.user()).toBe(user);
      expect(desk.log.of('end')).toHaveLength(1);
    });
  });

  describe.each(['anna', 'ben'])('%s signing in with the cookie of before a rotation', (user) => {
    it('ends the session under its new id', async () => {
      await open();
      const browser = await desk.signedIn('anna');
      const late = browser.copy();
      await browser.post('/rotate').expect(201);
      await late.post('/login', { user }).expect(201);
      expect([await browser.user(), await late.user()]).toEqual([null, user]);
      expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'replaced' })]);
      expect(await desk.security.list('anna')).toHaveLength(user === 'anna' ? 1 : 0);
    });

    it('ends it while the rotation is being answered', async () => {
      const { browser, slow, done } = await takingAlong('/rotate-and-wait');
      await browser.post('/login', { user }).expect(201);
      await done();
      expect([await browser.user(), await slow.user()]).toEqual([user, null]);
      expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'replaced' })]);
    });

    it('ends it where the request was on its way before the rotation', async () => {
      await open();
      const browser = await desk.signedIn('anna');
      const late = browser.copy();
      const signIn = late.post('/guarded-sign-in', { id: user }).expect(201).then();
      await door.reached;
      await browser.post('/rotate').expect(201);
      door.open();
      await signIn;
      expect([await browser.user(), await late.user()]).toEqual([null, user]);
      expect(desk.log.of('end')).toEqual([expect.objectContaining({ userId: 'anna', reason: 'replaced' })]);
    });

    it('ends nobody who has signed in under the new id since', async () => {
      await open();
      const browser = await desk.signedIn('anna');
      const late = browser.copy();
      await browser.post('/rotate').expect(201);
      await browser.post('/login', { user: 'cleo', regenerate: false }).expect(201);
      await late.post('/login', { user }).expect(201);
      expect([await browser.user(), await late.user()]).toEqual(['cleo', user]);
    });
  });

  it('a request with the cookie of before a rotation that only takes another id ends nobody', async () => {
    await open();
    const browser = await desk.signedIn();
    const late = browser.copy();
    await browser.post('/rotate').expect(201);
    await late.post('/rotate').expect(201);
    expect([await browser.user(), await late.user()]).toEqual(['anna', null]);
  });

  it('who has signed out may sign in by a handler that began for somebody else under the same session id', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/login', { user: 'cleo', regenerate: false }).expect(201);
    const slow = browser.copy();
    const signIn = slow.post('/sign-in-as-anna').then();
    await door.reached;
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    await browser.post('/logout').expect(201);
    door.open();
    await signIn;
    expect(await slow.user()).toBe('anna');
  });

  it('a revocation is final for a handler that has just taken the user along under another id', async () => {
    const { browser, slow, done } = await takingAlong('/take-along-and-wait');
    await desk.security.endAll('anna');
    await done();
    await expectNobody([browser, slow], 1);
  });

  it('a revocation is final for who is taken along while others are being ended', async () => {
    const { browser, slow, done } = await takingAlong('/take-along-slowly');
    const other = await desk.signedIn();
    desk.clock.jump(1);
    const held = store.hold('destroy', isRecord);
    const revocation = desk.security.endAll('anna');
    await held.reached;
    await done();
    held.release();
    await revocation;
    expect(await Promise.all([browser, slow, other].map((each) => each.user()))).toEqual([null, null, null]);
    expect(await desk.security.list('anna')).toEqual([]);
  });

  it.each<[string, (browser: Browser) => unknown]>([
    ['has expired', () => desk.clock.advance(11)],
    ['was replaced by another sign-in', (browser) => browser.post('/login', { user: 'anna' })],
    ['of another user was signed out', (browser) => browser.post('/logout')],
  ])('a slow sign-in counts although the session with which it came %s meanwhile', async (what, end) => {
    await open();
    const browser = await desk.signedIn(what.includes('another user') ? 'ben' : 'anna');
    const slow = browser.copy();
    const answer = slow.post('/sign-in-as-anna').then();
    await door.reached;
    await end(browser);
    door.open();
    await answer;
    expect(await slow.user()).toBe('anna');
  });

  it('a slow sign-in counts also where a late request has asked after the session with which it came, which expired under another id', async () => {
    const early = new Door();
    await open({
      configure: (app, useSession) => {
        useSession();
        interceptEarly(app, async ({ url }) => {
          if (url.includes('late')) await early.pass();
          return 'hand on';
        });
      },
    });
    const browser = await desk.signedIn();
    const slow = browser.copy();
    const answer = slow.post('/sign-in-as-anna').then();
    await door.reached;
    const late = browser.copy().get('/whoami?late').then();
    await early.reached;
    await browser.post('/rotate').expect(201);
    await desk.clock.advance(11);
    early.open();
    await late;
    door.open();
    await answer;
    expect(await slow.user()).toBe('anna');
  });

  it('a slow sign-in counts also where a late sign-out was of a session which had expired under another id', async () => {
    await open();
    const browser = await desk.signedIn();
    const slow = browser.copy();
    const begun = async (path: string): Promise<() => Promise<unknown>> => {
      const own = (door = new Door());
      const answer = slow.post(path).then();
      await own.reached;
      return () => (own.open(), answer);
    };
    const [signOut, signIn] = [await begun('/forget-slowly'), await begun('/sign-in-as-anna')];
    await browser.post('/rotate').expect(201);
    await desk.clock.advance(11);
    await signOut();
    await signIn();
    expect(await slow.user()).toBe('anna');
    expect(desk.log.of('end').map(({ reason }) => reason)).toEqual(['idle']);
  });

  it('a handler that has ended the session itself may sign the same user in', async () => {
    await open();
    const browser = await desk.signedIn();
    await browser.post('/end-and-sign-in').expect(201);
    expect(await browser.user()).toBe('anna');
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'end', 'start']);
  });

  it('a sign-out counts also where a request of before the sign-in has written the session back', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { basket: 1 });
    const before = desk.stored()[browser.sessionId];
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    const signedIn = desk.stored()[browser.sessionId];
    const write = (data: never) => new Promise((resolve) => store.set(browser.sessionId, data, resolve));
    await write(before as never);
    await browser.post('/session-security/end').expect(200);
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    await write(signedIn as never);
    expect(await browser.user()).toBeNull();
  });

  it('a sign-out leaves nothing of who has signed in under the session id since the request was read', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { basket: 1 });
    const held = store.hold('get', isSession);
    const signOut = browser.copy().post('/session-security/end').expect(200).then();
    await held.reached;
    await browser.post('/login', { user: 'anna', regenerate: false }).expect(201);
    held.release();
    await signOut;
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    expect(JSON.stringify(desk.stored())).not.toContain('anna');
  });

  describe('a sign-out that leaves the session id in use is final, although the session is not marked as watched yet', () => {
    /** Signed in by something that the module does not see. */
    const signedInUnseen = async (options?: WatchedAppOptions): Promise<Browser> => {
      await open(options);
      const browser = desk.browser();
      await browser.post('/write', { basket: 1 });
      await desk.changeSessions((data) => (data.user = { id: 'anna' }));
      return browser;
    };

    const expectSignedOut = async (browser: Browser): Promise<void> => {
      expect(await browser.user()).toBeNull();
      expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'end']);
    };

    it('for what is read while it is worked off', async () => {
      const browser = await signedInUnseen();
      const first = browser.copy().get('/slow').then();
      await door.reached;
      const held = store.hold('get', isSession);
      const beside = browser.copy().user();
      await held.reached;
      const removal = store.hold('destroy', isRecord);
      const signOut = browser.post('/forget').then();
      await removal.reached;
      const read = new Promise((resolve) => store.get(browser.sessionId, (_, data) => resolve(data)));
      held.release();
      await soon();
      removal.release();
      await signOut;
      expect([await beside, await read]).toEqual([null, undefined]);
      door.open();
      await first;
      await expectSignedOut(browser);
      expect(desk.stored()[browser.sessionId]).toMatchObject({ basket: 1 });
    });

    it('for a request that was read before and asks the application for long who is signed in', async () => {
      const isAuthenticated = async (request: object): Promise<boolean> => {
        const { url, session } = request as DeskRequest;
        if (url === '/guarded') await door.pass();
        return session?.user !== undefined;
      };
      const browser = await signedInUnseen({ security: { isAuthenticated } });
      const goOn = await heldBefore(browser);
      await browser.post('/forget').expect(201);
      expect(await goOn()).toEqual({ user: null });
      await expectSignedOut(browser);
    });

    describe('for a request that handlers of before the module have kept since it was read', () => {
      const configure: WatchedAppOptions['configure'] = (app, useSession) => {
        useSession();
        interceptEarly(app, async ({ url, session }) => {
          if (!url.includes('late')) return 'hand on';
          await door.pass();
          Object.assign(session!, { late: true });
          if (url.includes('save')) await new Promise<void>((resolve) => session!.save!(resolve));
          return url.includes('raw') ? 'end' : 'hand on';
        });
      };
      /** It was read when the sign-in was not marked yet; now it is. */
      const kept = async (url: string): Promise<{ browser: Browser; late: Promise<unknown> }> => {
        const browser = await signedInUnseen({ configure });
        expect(await desk.browser().user()).toBeNull();
        const late = browser.copy().get(url).then();
        await door.reached;
        expect(await browser.user()).toBe('anna');
        return { browser, late };
      };

      /** It goes on when its user has signed out. */
      const outlived = async (url: string): Promise<Browser> => {
        const { browser, late } = await kept(url);
        await browser.post('/forget').expect(201);
        door.open();
        await late;
        return browser;
      };

      it('and which they answer, writing back what they read', async () => {
        const browser = await outlived('/raw?late');
        await expectSignedOut(browser);
        expect(desk.stored()[browser.sessionId]).toMatchObject({ basket: 1 });
      });

      it('and whose write is under way', async () => {
        const { browser, late } = await kept('/raw?late');
        const write = store.hold('set', isSession);
        door.open();
        await write.reached;
        const stale = desk.stored()[browser.sessionId];
        await browser.post('/forget').expect(201);
        // As a store does that carries out late what it was asked.
        await desk.changeSessions((data) => Object.assign(data, stale));
        write.release();
        await late;
        await soon();
        await expectSignedOut(browser);
      });

      it('and which they hand on', async () => {
        await expectSignedOut(await outlived('/whoami?late'));
      });

      it.each(['/raw?late&save', '/whoami?late&save'])('and which they save themselves: %s', async (url) => {
        await expectSignedOut(await outlived(url));
      });

      it('but not for who signs in there afterwards', async () => {
        const browser = await outlived('/raw?late');
        await browser.post('/login', { user: 'ben', regenerate: false }).expect(201);
        await browser.get('/raw?late').expect(200);
        expect(await browser.user()).toBe('ben');
        expect(desk.stored()[browser.sessionId]).toMatchObject({ late: true });
      });
    });

    it('where the store does not remove it: then the id is given up', async () => {
      const browser = await signedInUnseen();
      const before = desk.stored()[browser.sessionId];
      store.failOnce('destroy', isSession);
      await browser.post('/forget').expect(201);
      await new Promise((resolve) => store.set(browser.sessionId, before, resolve));
      await expectSignedOut(browser);
    });
  });

  it('a handler that rotates the id by callback, and answers then, takes the session along', async () => {
    await open();
    const browser = await desk.signedIn();
    await desk.clock.advance(3);
    await browser.post('/rotate-by-callback').expect(201);
    expect(await browser.user()).toBe('anna');
    await desk.clock.advance(12);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'warn', 'expire', 'end']);
  });

  it.each(['/sign-in-by-callback', '/sign-in-and-answer'])(
    'S1 %s: whose handler ends the response itself is watched from then on',
    async (path) => {
      await open();
      const browser = desk.browser();
      await browser.post(path).expect(201);
      await desk.clock.advance(12);
      expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'warn', 'expire', 'end']);
      expect(await browser.user()).toBe(null);
    },
  );

  it('S1 after the end of a session the next sign-in by callback is watched too', async () => {
    await open();
    const browser = await desk.signedIn();
    await desk.clock.advance(12);
    await browser.post('/sign-in-by-callback').expect(201);
    expect(await browser.user()).toBe('ben');
    expect(await desk.security.list('ben')).toHaveLength(1);
  });

  it('a sign-in by callback of one too many is turned away', async () => {
    await open({ security: { maxSessionsPerUser: 1, onTooManySessions: 'refuse' } });
    await desk.signedIn('ben');
    const browser = desk.browser();
    await browser.post('/sign-in-by-callback');
    expect(await browser.user()).toBe(null);
    expect(await desk.security.list('ben')).toHaveLength(1);
  });

  it('a browser that gives up while its session id is changed loses nothing', async () => {
    await open();
    const browser = await desk.signedIn();
    const held = store.hold('destroy', isSession);
    const call = browser.copy().post('/rotate-and-tell');
    const outcome = call.then(
      () => 'answered',
      () => 'given up',
    );
    await held.reached;
    call.abort();
    await door.reached;
    await soon();
    held.release();
    expect(await outcome).toBe('given up');
    await soon();
    await desk.clock.advance(12);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'warn', 'expire', 'end']);
  });

  it('a cookie from before a rotation says so when the session has ended under its new id', async () => {
    await open();
    const browser = await desk.signedIn();
    const old = browser.copy();
    await browser.post('/rotate').expect(201);
    await desk.clock.advance(12);
    expect(await old.state()).toMatchObject({ state: 'expired', reason: 'idle' });
    await old.post('/login', { user: 'anna' }).expect(201);
    expect(desk.log.of('start')).toHaveLength(2);
  });

  it('what begins is told before a parallel request goes on with it', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { basket: 1 });
    const held = store.hold('set', isRecord);
    const [one, other] = [browser.copy(), browser.copy()];
    const signIn = one.post('/login', { user: 'anna', regenerate: false }).then();
    await held.reached;
    await new Promise((resolve) =>
      store.set(browser.sessionId, { cookie: {}, user: { id: 'anna' } } as never, resolve),
    );
    const seen = other.user().then((user) => ({ user, starts: desk.log.of('start').length }));
    await soon();
    held.release();
    await signIn;
    expect(await seen).toEqual({ user: 'anna', starts: 1 });
  });

  it('what begins after a start that failed is told before a parallel request goes on with it', async () => {
    await open();
    const browser = desk.browser();
    await browser.post('/write', { basket: 1 });
    await new Promise((resolve) =>
      store.set(browser.sessionId, { cookie: {}, user: { id: 'anna' } } as never, resolve),
    );
    const [looked, failing, held] = [
      store.hold('get', isRecord),
      store.hold('set', isRecord),
      store.hold('set', isRecord),
    ];
    const starting = [browser.copy().user(), browser.copy().user()];
    await looked.reached;
    await soon();
    looked.release();
    await failing.reached;
    const seen = browser.user().then((user) => ({ user, starts: desk.log.of('start').length }));
    await soon();
    failing.fail();
    await held.reached;
    await soon();
    held.release();
    expect(await seen).toEqual({ user: 'anna', starts: 1 });
    await Promise.all(starting);
  });

  it('a sign-in while the sessions of before are taken up is watched once', async () => {
    await open();
    // The first attempt fails, so that the next one comes when somebody signs in.
    store.failOnce('all');
    await desk.browser().user();
    const kept = store.hold('set', isRecord);
    const signIn = desk.signedIn();
    await kept.reached;
    await desk.clock.advance(1);
    await soon();
    kept.release();
    await signIn;
    await desk.clock.advance(12);
    expect(desk.log.events.map(({ kind }) => kind)).toEqual(['start', 'warn', 'expire', 'end']);
  });

  it('a session that this process does not know yet gets another id while the store reads it, and goes on', async () => {
    await open();
    const browser = await desk.signedIn();
    await desk.close();
    desk = await WatchedApp.start({ store });
    const recovery = store.hold('all');
    await desk.browser().user();
    await recovery.reached;
    const reading = store.hold('get', isSession);
    const early = browser.moveTo(desk).copy().user();
    await reading.reached;
    await browser.post('/rotate').expect(201);
    reading.release();
    expect(await early).toBe('anna');
    expect(await browser.user()).toBe('anna');
    expect(desk.log.events).toEqual([]);
    recovery.release();
  });

  describe('while a stamp of the future is corrected in the store', () => {
    /** The process has started anew, its first request has come, and the correction is not answered yet. */
    const reopened = async (): Promise<{ browser: Browser; correction: HeldCall }> => {
      await open();
      const browser = await desk.signedIn();
      const clock = new VirtualClock(desk.clock.now());
      await desk.close();
      await desk.changeRecord((record) => (record.lastActivityAt += 3_600_000));
      desk = await WatchedApp.start({ store, clock });
      const correction = store.hold('set', isRecord);
      await desk.browser().user();
      await correction.reached;
      return { browser: browser.moveTo(desk), correction };
    };

    it('activity of the session counts', async () => {
      const { browser, correction } = await reopened();
      desk.clock.jump(1);
      expect(await browser.user()).toBe('anna');
      correction.release();
      await desk.app.get(ActivityTracker).recovered();
      expect(await browser.state()).toMatchObject({ idleFor: 0 });
    });

    it('a sign-out of the session is final', async () => {
      const { browser, correction } = await reopened();
      const signOut = browser.post('/logout').then();
      await soon();
      correction.release();
      await signOut;
      await desk.clock.advance(12);
      expect(desk.log.events.map(({ kind }) => kind)).toEqual(['end']);
    });
  });

  it('a start that the store reported as failed leaves no record that nobody ends', async () => {
    await open();
    store.failOnce('set', isRecord);
    await desk.browser().post('/login', { user: 'anna' });
    await desk.clock.advance(2);
    expect(Object.keys(desk.stored()).filter(isRecord)).toEqual([]);
  });

  it('the removal of a record that the store carries out long after it was given up does not end who has signed in under the id since', async () => {
    const sessions = new session.MemoryStore();
    const faults = new Faults(sessions);
    await open({ store: sessions, security: { flushInterval: 1, storeTimeout: 1 } });
    const browser = await desk.signedIn('anna');
    const removal = faults.hold('destroy', isRecord, 1);
    const signOut = browser.post('/forget').then();
    await removal.reached();
    await desk.clock.pass(3);
    await signOut;
    await browser.post('/login', { user: 'ben', regenerate: false }).expect(201);
    removal.release();
    for (const seconds of [0, 4, 4, 4]) {
      await desk.clock.advance(seconds);
      expect(await browser.user()).toBe('ben');
    }
    expect(desk.log.of('end').map(({ userId }) => userId)).toEqual(['anna']);
    expect(Object.keys(desk.stored()).filter(isRecord)).toHaveLength(1);
  });

  it('a sign-out under way when the application shuts down is told, and final', async () => {
    await open();
    const browser = await desk.signedIn();
    const held = store.hold('get', isSession);
    const signOut = browser.copy().post('/logout').then();
    await held.reached;
    const closed = desk.close();
    await soon();
    held.release();
    await signOut;
    await closed;
    expect(desk.log.of('end')).toEqual([expect.objectContaining({ reason: 'logout' })]);
    expect(desk.stored()).toEqual({});
  });
});
