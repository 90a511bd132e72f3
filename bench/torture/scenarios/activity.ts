import { setTimeout as pause } from 'node:timers/promises';
import { BEYOND_MS, LATE_MS } from '../row.js';
import type { Row } from '../row.js';

export const activityRows: readonly Row[] = [
  {
    id: 'S4',
    what: 'switching away and back without input is not activity',
    // The return is before the warning, after which some count nothing, and late enough to tell them apart.
    limits: { warnAfter: 9, expireAfter: 10 },
    async play(scene) {
      const tab = await scene.open();
      const startedAt = Date.now();
      await scene.openElsewhere();
      await pause(scene.expireAfterMs * 0.65);
      await tab.bringToFront();
      await scene.expectShown(tab, 0);
      await scene.expectGone(tab, startedAt + scene.expireAfterMs + LATE_MS - Date.now());
    },
  },
  {
    id: 'S5',
    what: 'a mouse that rests and is reported to move is not activity',
    async play(scene) {
      const tab = await scene.open();
      await tab.moveMouse();
      await tab.moveMouse();
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS, async () => {
        await tab.mouseStirs();
        await pause(200);
      });
    },
  },
  {
    id: 'S6',
    what: 'events that a script makes are not activity',
    async play(scene) {
      const tab = await scene.open();
      await tab.evaluate(() => {
        let position = 0;
        setInterval(() => {
          position += 10;
          const place = { bubbles: true, screenX: position, clientX: position, movementX: 10, movementY: 10 };
          const main = document.querySelector('main');
          for (const type of ['mousemove', 'mousedown']) main?.dispatchEvent(new MouseEvent(type, place));
          main?.dispatchEvent(new PointerEvent('pointermove', place));
          main?.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, key: 'a' }));
        }, 200);
      });
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
  {
    id: 'S6b',
    what: 'a page that scrolls itself is not activity',
    async play(scene) {
      const tab = await scene.open();
      await tab.evaluate(() => void setInterval(() => scrollBy(0, scrollY > 500 ? -500 : 20), 200));
      await scene.expectGone(tab, scene.expireAfterMs + LATE_MS);
    },
  },
  {
    id: 'S10',
    what: 'somebody inside a widget that stops its events stays active',
    needs: ['watches activity'],
    async play(scene) {
      const tab = await scene.open();
      await tab.evaluate(() => {
        const widget = document.querySelector<HTMLElement>('#widget')!;
        Object.assign(widget.style, { position: 'fixed', inset: '0' });
        for (const type of ['pointermove', 'mousemove', 'pointerdown', 'mousedown', 'keydown', 'wheel'])
          widget.addEventListener(type, (event) => event.stopPropagation());
      });
      await scene.expectShown(tab, scene.expireAfterMs + BEYOND_MS, async () => {
        await tab.moveMouse();
        await pause(400);
      });
    },
  },
];
