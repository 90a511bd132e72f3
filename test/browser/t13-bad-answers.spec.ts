import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/client/chromium.js';
import { FakePingServer } from '../support/client/fake-ping-server.js';

jest.setTimeout(60_000);

type Client = EventTarget & { phase(): string };

let browser: Browser;
let server: FakePingServer;
let page: Page;
let problems: string[];

beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(async () => {
  server = await FakePingServer.start({ warnAfter: 3, expireAfter: 15 });
  page = await browser.newPage({ baseURL: server.url });
  problems = [];
  // Rejections that nobody handles are page errors too.
  page.on('pageerror', (error) => problems.push(error.message));
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
});
afterAll(() => browser.close());

const phaseIs = (phase: string) =>
  page.waitForFunction(
    (wanted) => (window as unknown as { sessionSecurity?: Client }).sessionSecurity?.phase() === wanted,
    phase,
  );

const wellFormed = {
  state: 'active',
  idleFor: 0,
  expireIn: 15,
  lifetimeIn: null,
  limits: { warnAfter: 3, expireAfter: 15, maxLifetime: null },
  owner: 'ada-1',
};

const badAnswers: [string, number, string][] = [
  ['the page of a captive portal', 200, '<!doctype html><title>Welcome to our Wi-Fi</title>'],
  ['nothing', 200, ''],
  ['half of an answer', 200, JSON.stringify(wellFormed).slice(0, 60)],
  ['wrong types', 200, JSON.stringify({ ...wellFormed, idleFor: '0', limits: [], owner: 7 })],
  ['a state that does not exist', 200, JSON.stringify({ ...wellFormed, state: 'dead' })],
  ['null', 200, 'null'],
  ['no content', 204, ''],
  ['an error that looks like an answer', 502, JSON.stringify({ ...wellFormed, state: 'expired' })],
  ['a page not found', 404, JSON.stringify({ state: 'expired' })],
];

describe('T13', () => {
  test.each(badAnswers)('%s is asked again: no exception, no sign-out', async (_, status, body) => {
    let left = 1;
    const spoil = (response: ServerResponse): boolean => {
      if (left === 0) return false;
      left--;
      response.writeHead(status, { 'Content-Type': 'text/html' }).end(body);
      return true;
    };
    server.interfere = spoil;
    await page.goto('/');
    // Spoilt at the start, and again when activity is told during the warning.
    await phaseIs('warning');
    left = 1;
    await page.locator('h1').evaluate(() => document.querySelector('input')?.focus());
    await page.keyboard.press('a');
    await phaseIs('active');

    expect(left).toBe(0);
    expect(server.session.alive()).toBe(true);
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(server.visits).toEqual(['GET /']);
    expect(problems).toEqual([]);
  });

  test('a redirect is the end: it is not followed, and the page leaves by itself', async () => {
    await page.goto('/');
    await phaseIs('active');
    // It loads itself anew, too quickly for a look from outside to catch it covered.
    const left = page.waitForEvent('framenavigated');
    server.interfere = (response) => {
      response.writeHead(302, { Location: '/trap' }).end();
      return true;
    };
    await left;
    expect(server.visits).not.toContain('GET /trap');
    expect(problems).toEqual([]);
  });
});

describe('T22', () => {
  test('garbage on the channels and in the storages is ignored, and raises nothing', async () => {
    server.session.client = { application: 'clinic' };
    await page.goto('/');
    await phaseIs('active');
    await page.evaluate(() => {
      const rubbish = [null, 7, 'x', [], new Date(), 10n, new Map(), { last: 'x', answer: 5 }, { owner: {} }];
      for (const name of ['session-security:clinic', 'session-security:clinic:ada-1']) {
        const channel = new BroadcastChannel(name);
        for (const message of [...rubbish, { last: 1e300 }, { last: 10n ** 20n, sentAt: 1n }])
          channel.postMessage(message);
        localStorage.setItem(name, '{');
        sessionStorage.setItem(name, '{');
      }
    });
    await phaseIs('warning');
    expect(server.session.alive()).toBe(true);
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(problems).toEqual([]);
  });
});
