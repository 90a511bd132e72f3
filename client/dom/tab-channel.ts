import type { TabChannel } from '../core/ports.js';

/** Opens a BroadcastChannel. A browser without one has tabs that work alone, correctly. */
export function tabChannel(name: string, receive: (message: unknown) => void): TabChannel {
  if (!globalThis.BroadcastChannel) return { post() {}, close() {} };
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => receive(event.data);
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}
