import type { DraftGrant } from '../../lib/http/draft-keys.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Browser, WatchedApp, type WatchedAppOptions } from '../support/watched-app.js';

const SECRET = 'only for tests, thirty-two characters';

let desk: WatchedApp;
const open = async (options?: WatchedAppOptions): Promise<void> => {
  desk = await WatchedApp.start(options);
};
afterEach(() => desk.close());

const grantOf = async (browser: Browser): Promise<DraftGrant> =>
  (await browser.get('/session-security/ping?drafts=1').expect(200)).body.drafts;
const keyOf = async (browser: Browser): Promise<string> => (await grantOf(browser)).key;

describe('F4 the key of drafts', () => {
  it('is 256 bits, the same for all sessions of a user, and another one for another user', async () => {
    await open({ security: { secret: SECRET } });
    const [here, there, ben] = [await desk.signedIn(), await desk.signedIn(), await desk.signedIn('ben')];

    const key = await keyOf(here);
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(await keyOf(there)).toBe(key);
    expect(await keyOf(ben)).not.toBe(key);
  });

  it('is the same after an expiry and a new sign-in, and after a restart with the same secret', async () => {
    await open({ security: { secret: SECRET } });
    const browser = await desk.signedIn();
    const key = await keyOf(browser);
    desk.clock.jump(11);
    expect(await grantOf(browser)).toBeNull();
    await browser.post('/login', { user: 'anna' }).expect(201);
    expect(await keyOf(browser)).toBe(key);

    await desk.close();
    await open({ security: { secret: SECRET } });
    expect(await keyOf(await desk.signedIn())).toBe(key);
  });

  it('is another one with another secret, and without a secret with every process', async () => {
    const keys = new Set<string>();
    for (const security of [{ secret: SECRET }, { secret: `${SECRET}!` }, {}, {}]) {
      await open({ security });
      keys.add(await keyOf(await desk.signedIn()));
      await desk.close();
    }
    await open();
    expect(keys.size).toBe(4);
  });

  it('does not survive a restart without a secret: in production the first page that asks for it has that said', async () => {
    const { NODE_ENV } = process.env;
    process.env['NODE_ENV'] = 'production';
    try {
      await open();
      const browser = await desk.signedIn();
      await browser.state();
      await grantOf(desk.browser());
      expect(desk.messages.matching(/drafts/)).toEqual([]);
      await grantOf(browser);
      expect(desk.messages.matching(/drafts do not survive a restart/)).toHaveLength(1);
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
    }
  });

  it('is not given to anybody who is not signed in, nor unasked, nor for a request that another site made', async () => {
    await open();
    expect(await grantOf(desk.browser())).toBeNull();
    const browser = await desk.signedIn();
    expect((await browser.get('/session-security/ping')).body).not.toHaveProperty('drafts');
    expect((await browser.ping({})).body).not.toHaveProperty('drafts');
    for (const site of ['cross-site', 'same-site', 'none']) {
      const answer = await browser.get('/session-security/ping?drafts=1').set('Sec-Fetch-Site', site);
      expect(answer.body).toMatchObject({ state: 'active', drafts: null });
    }
    const own = await browser.get('/session-security/ping?drafts=1').set('Sec-Fetch-Site', 'same-origin');
    expect(own.body.drafts.key).toBeDefined();
  });

  it('is not given to a session that nobody can be named for', async () => {
    await open({ security: { identify: () => undefined } });
    expect(await grantOf(await desk.signedIn())).toBeNull();
  });

  it('is never cached, moves nothing, and is in no log, no event and no store', async () => {
    await open();
    const browser = await desk.signedIn();
    desk.clock.jump(6);
    const answer = await browser.get('/session-security/ping?start=1&drafts=1').expect(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toMatchObject({ state: 'warning', idleFor: 6, client: {} });
    await browser.post('/logout');

    const told = JSON.stringify([desk.messages.lines, desk.log.events, desk.stored(), [...browser.cookies]]);
    expect(told).toContain('anna');
    expect(told).not.toContain(answer.body.drafts.key);
  });

  it('comes with the sessions that the user signed out of in the last hour, by their owners, and no others', async () => {
    await open({ security: { expireAfter: 7200, warnAfter: 7000 } });
    const [first, second] = [await desk.signedIn(), await desk.signedIn()];
    const { owner } = await first.state();
    expect(await grantOf(second)).toMatchObject({ signedOut: {} });
    await first.post('/logout');
    await desk.security.endAll('ben');
    desk.clock.jump(12);

    expect((await grantOf(second)).signedOut).toEqual({ [owner]: 12 });
    expect((await grantOf(await desk.signedIn('ben'))).signedOut).toEqual({});
    desk.clock.jump(3600);
    expect((await grantOf(second)).signedOut).toEqual({});
  });

  it('comes with the texts of drafts in the language of the page; the dialog has its own', async () => {
    await open();
    const asked = (await desk.signedIn()).get('/session-security/ping?start=1&drafts=1');
    const { client, drafts } = (await asked.set('Accept-Language', 'de-AT')).body;
    expect(drafts.texts).toMatchObject({ lang: 'de', dir: 'ltr', draftRestore: 'Wiederherstellen' });
    expect(client.texts).toMatchObject({ lang: 'de', dir: 'ltr', stay: 'Angemeldet bleiben' });
    expect(Object.keys(drafts.texts).filter((key) => Object.hasOwn(client.texts, key))).toEqual([
      'lang',
      'dir',
    ]);
  });

  it('remembers no more than twenty sign-outs of a user', async () => {
    await open();
    for (let count = 0; count < 25; count++) await (await desk.signedIn()).post('/logout');
    expect(Object.keys((await grantOf(await desk.signedIn())).signedOut)).toHaveLength(20);
  });
});

describe('F5 a POST after the expiry', () => {
  const FETCH = {
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Site': 'same-origin',
    'Content-Type': 'application/json',
  };
  const FORM = {
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Site': 'same-origin',
    'Content-Type': 'application/x-www-form-urlencoded',
    Accept: 'text/html',
  };

  it.each(['reject', 'redirect'] as const)(
    'is answered to a script with 401 problem+json and never runs the handler (onExpired: %s)',
    async (onExpired) => {
      await open({ security: { onExpired, loginUrl: '/login' } });
      const browser = await desk.signedIn();
      desk.clock.jump(11);
      const answer = await browser.post('/write', { note: 'precious' }).set(FETCH).expect(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).toMatchObject({ code: 'session_expired', reason: 'idle', loginUrl: '/login' });
      expect(JSON.stringify(desk.stored())).not.toContain('precious');
    },
  );

  it('is answered to a form with the sign-in page (onExpired: redirect), by GET, without what was sent', async () => {
    await open({ security: { onExpired: 'redirect', loginUrl: '/login' } });
    const browser = await desk.signedIn();
    desk.clock.jump(11);
    const answer = await browser.post('/write').set(FORM).send('note=precious').expect(303);
    expect(answer.headers['location']).toBe('/login');
    expect(JSON.stringify(desk.stored())).not.toContain('precious');
  });
});

describe('F1 and F4 the script tag', () => {
  it('asks for guard and drafts of the whole page', async () => {
    await open();
    const tag = (await (await desk.signedIn()).get('/tag')).body.tag;
    expect(tag).not.toMatch(/data-session-(guard|draft)/);
    const request = { method: 'GET', url: '/', headers: {} };
    const security = desk.security;
    expect(security.clientTag(request, { guard: true })).toMatch(/ data-session-guard="" /);
    expect(security.clientTag(request, { drafts: true })).toMatch(/ data-session-draft="" /);
    expect(security.clientTag(request, { drafts: 'automatic' })).toMatch(/ data-session-draft="automatic" /);
  });
});
