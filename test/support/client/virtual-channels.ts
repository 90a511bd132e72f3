import type { TabChannel, TabListener } from '../../../client/core/ports.js';

interface Member<Tab> {
  readonly tab: Tab;
  readonly receive: TabListener;
}

/** What BroadcastChannel is between the tabs of one browser. */
export class VirtualChannels<Tab> {
  readonly #channels = new Map<string, Set<Member<Tab>>>();

  /** @param deliver brings one message to a tab, in its own time */
  constructor(private readonly deliver: (tab: Tab, run: () => void) => void) {}

  get names(): string[] {
    return [...this.#channels.keys()];
  }

  open(tab: Tab, name: string, receive: TabListener): TabChannel {
    const member = { tab, receive };
    const members = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, members.add(member));
    return {
      postMessage: (message) => {
        if (!members.has(member)) throw new DOMException('Channel is closed', 'InvalidStateError');
        for (const other of members) {
          if (other === member) continue;
          const copy: unknown = structuredClone(message);
          this.deliver(other.tab, () => members.has(other) && other.receive(copy as never));
        }
      },
      close: () => void members.delete(member),
    };
  }

  /** Something on this origin writes to all channels. */
  shout(message: unknown): void {
    for (const { tab, receive } of this.#members)
      this.deliver(tab, () => receive(structuredClone(message) as never));
  }

  countOf(tab: Tab): number {
    return this.#members.filter((member) => member.tab === tab).length;
  }

  /** The tab is gone, and its channels with it. */
  closeOf(tab: Tab): void {
    for (const members of this.#channels.values())
      for (const member of members) if (member.tab === tab) members.delete(member);
  }

  get #members(): Member<Tab>[] {
    return [...this.#channels.values()].flatMap((members) => [...members]);
  }
}
