import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { useIdleTimer } from 'react-idle-timer';
import type { IIdleTimer } from 'react-idle-timer';
import type { Mount } from './mount.js';

/** With the options for many tabs, `crossTab` and `syncTimers`, without which it fails more rows. */
export const mount: Mount = ({ warnAfter, expireAfter }, hooks) => {
  let timer: IIdleTimer | undefined;
  let watching = false;
  function Watch(): null {
    timer = useIdleTimer({
      timeout: expireAfter * 1000,
      promptBeforeIdle: (expireAfter - warnAfter) * 1000,
      crossTab: true,
      syncTimers: 200,
      onPrompt: hooks.warned,
      onActive: hooks.active,
      onIdle: hooks.expired,
    });
    useEffect(() => void (watching = true));
    return null;
  }
  createRoot(document.body.appendChild(document.createElement('div'))).render(createElement(Watch));
  // Its documentation has a "still here?" button do this; while it prompts, activity does not count.
  return { ready: () => watching, stay: () => void timer?.activate() };
};
