import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { hasTold, noteEvents } from '../support/client/client-events.js';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

const openStage = pageStage();
let server: FakePingServer;
let pass: (seconds: number) => Promise<void>;
let page: Page;
let problems: string[];

beforeEach(async () => {
  const stage = await openStage({ warnAfter: 60, expireAfter: 120 });
  ({ server, pass } = stage);
  await stage.context.clock.install();
  await noteEvents(stage.context);
  page = await stage.context.newPage();
  problems = [];
  // Rejections that nobody handles are page errors too.
  page.on('pageerror', (error) => problems.push(error.message));
});
const phaseIs = (phase: string) =>
  page.waitForFunction((wanted) => globalThis.sessionSecurity?.phase() === wanted, phase);

/** After the first failure. */
const ASKS_AGAIN_WITHIN_MS = 3000;

const wellFormed = {
  state: 'active',
  idleFor: 0,
  expireIn: 120,
  lifetimeIn: null,
  limits: { warnAfter: 60, expireAfter: 120, maxLifetime: null },
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
    server.session.lastActivityAt -= 60_000;
    await page.goto('/');
    // Spoilt at the start, and again when activity is told during the warning.
    await hasTold(page, 'error');
    await page.clock.fastForward(ASKS_AGAIN_WITHIN_MS);
    await phaseIs('warning');
    left = 1;
    await page.locator('h1').evaluate(() => document.querySelector('input')?.focus());
    await page.keyboard.press('a');
    await hasTold(page, 'error', 2);
    await page.clock.fastForward(ASKS_AGAIN_WITHIN_MS);
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
    server.interfere = (response) => {
      response.writeHead(302, { Location: '/trap' }).end();
      return true;
    };
    await pass(60);
    // It loads itself anew, too quickly for a look from outside to catch it covered.
    await eventually('the page again', () => server.visits.length > 1, 15_000);
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
    await pass(60);
    await phaseIs('warning');
    expect(server.session.alive()).toBe(true);
    expect(await page.evaluate(() => document.body.checkVisibility())).toBe(true);
    expect(problems).toEqual([]);
  });
});
