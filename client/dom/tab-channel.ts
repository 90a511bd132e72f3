import type { TabChannel } from '../core/ports.js';

/** Opens a BroadcastChannel; a browser without one has tabs that work alone, correctly. */
export function tabChannel(name: string, receive: (message: unknown) => void): TabChannel | undefined {
  if (!globalThis.BroadcastChannel) return;
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => receive(event.data);
  return channel;
}
