import { describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type * as keepAliveModule from '../../client/keep-alive.js';
import type { FakePingServer } from '../support/client/fake-ping-server.js';
import type { FakeLimits } from '../support/client/fake-session-server.js';
import { loadModule } from '../support/client/page-module.js';
import { pageStage } from '../support/client/page-stage.js';
import { eventually } from '../support/real-time.js';

type Page17 = typeof window & {
  keepAliveModule: typeof keepAliveModule;
  warnings: number;
  finish: () => void;
  stop: () => void;
};

const openStage = pageStage();
let server: FakePingServer;
let context: BrowserContext;
let page: Page;

async function open(limits: FakeLimits): Promise<void> {
  ({ server, context } = await openStage(limits));
  server.pages.set('/', {
    body: `<main><audio controls src="${silence(60)}"></audio></main>`,
    policy: "default-src 'self'; script-src 'self' 'unsafe-inline'; media-src data:",
  });
  page = await context.newPage();
  server.session.signIn();
  await page.goto('/');
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
  await loadModule(page, 'client/keep-alive.ts', 'keepAliveModule');
  await page.evaluate(() => {
    const watching = window as unknown as Page17;
    watching.warnings = 0;
    globalThis.sessionSecurity!.addEventListener('warn', () => watching.warnings++);
  });
}

const warnings = () => page.evaluate(() => (window as unknown as Page17).warnings);
const isPast = (ms: number) => eventually('some time', () => Date.now() > ms || undefined, 20_000);
const warned = () => page.waitForFunction(() => (window as unknown as Page17).warnings > 0);

describe('T17', () => {
  test('T17 while a sound plays nobody is warned, and when it stops time runs again', async () => {
    await open({ warnAfter: 3, expireAfter: 6 });
    await page.evaluate(async () => {
      const audio = document.querySelector('audio')!;
      (window as unknown as Page17).keepAliveModule.keepAlive(globalThis.sessionSecurity!, audio);
      await audio.play();
    });
    await isPast(server.session.lastActivityAt + 8000);
    expect(await warnings()).toBe(0);
    expect(server.session.alive()).toBe(true);
    await page.evaluate(() => document.querySelector('audio')!.pause());
    await warned();
    // Setting the position is no playing.
    await page.evaluate(() => (document.querySelector('audio')!.currentTime = 30));
    await page.waitForURL('**/login*');
  });

  test.each(['finish', 'stop'] as const)(
    'T17 while an upload runs nobody is warned, and after %s() time runs again',
    async (end) => {
      await open({ warnAfter: 2, expireAfter: 6 });
      await page.evaluate(() => {
        const watching = window as unknown as Page17;
        const upload = new Promise<void>(
          (_, reject) => (watching.finish = () => reject(new Error('cut off'))),
        );
        watching.stop = watching.keepAliveModule.keepAlive(globalThis.sessionSecurity!, upload);
        upload.catch(() => {});
      });
      await isPast(server.session.lastActivityAt + 6000);
      expect(await warnings()).toBe(0);
      await page.evaluate((name) => (window as unknown as Page17)[name](), end);
      await warned();
    },
  );

  test('T17 the absolute limit is not moved by it', async () => {
    await open({ warnAfter: 60, expireAfter: 62, maxLifetime: 4 });
    await page.evaluate(() => {
      const upload = new Promise(() => {});
      (window as unknown as Page17).keepAliveModule.keepAlive(globalThis.sessionSecurity!, upload);
    });
    await page.waitForURL('**/login*');
    expect(server.session.ended).toBe('lifetime');
  });
});

/** A sound file of so many seconds in which nothing is heard. */
function silence(seconds: number): string {
  const rate = 3000;
  const wave = Buffer.alloc(44 + rate * seconds, 128);
  wave.write('RIFF', 0);
  wave.writeUInt32LE(36 + rate * seconds, 4);
  wave.write('WAVEfmt ', 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(rate, 24);
  wave.writeUInt32LE(rate, 28);
  wave.writeUInt16LE(1, 32);
  wave.writeUInt16LE(8, 34);
  wave.write('data', 36);
  wave.writeUInt32LE(rate * seconds, 40);
  return `data:audio/wav;base64,${wave.toString('base64')}`;
}
