import type { TabChannel, TabListener } from '../core/ports.js';

/** Opens a BroadcastChannel; a browser without one has tabs that work alone, correctly. */
export const tabChannel = (name: string, receive: TabListener): TabChannel | undefined =>
  window.BroadcastChannel &&
  Object.assign(new BroadcastChannel(name), {
    onmessage: (event: MessageEvent) => receive(event.data as never),
  });
