import type { TabChannel, TabListener } from '../core/ports.js';

/** Opens a BroadcastChannel; a browser without one has tabs that work alone, correctly. */
export function tabChannel(name: string, receive: TabListener): TabChannel | undefined {
  if (!window.BroadcastChannel) return;
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => receive(event.data as never);
  return channel;
}
