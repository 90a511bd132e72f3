/** An entry's id as numbers, so that entries can be told before and after. */
type Position = readonly [at: number, number: number];

/** What a stream keeps: an id, and the one text that scripts tell. */
export interface KeptEntry {
  readonly entryId: string;
  readonly text: string;
}

/** What a member of a group has been given and has not acknowledged. */
interface Pending {
  consumer: string;
  givenAt: number;
  deliveries: number;
}

interface Group {
  lastGiven: string;
  readonly pending: Map<string, Pending>;
}

/** An entry as a member of a group takes it over: its id, how often it has been given, its text. */
export type Reclaimed = readonly [entryId: string, deliveries: number, fields: readonly ['e', string]];

const A_DAY_MS = 86_400_000;
export const BEGINNING = '0-0';

/** A stream and its consumer groups, as far as the scripts use them. */
export class StreamModel<Entry extends KeptEntry> {
  readonly entries: Entry[] = [];
  readonly #groups = new Map<string, Group>();
  #lastId = BEGINNING;

  /** @param own what the server's own clock shows, which numbers the entries */
  constructor(private readonly own: () => number) {}

  /** The id of the last entry that is still there. */
  get last(): string {
    return this.entries.at(-1)?.entryId ?? BEGINNING;
  }

  nextId(): string {
    const [at, number] = positionOf(this.#lastId);
    const now = this.own();
    this.#lastId = now > at ? `${now}-0` : `${at}-${number + 1}`;
    return this.#lastId;
  }

  contains(entryId: string): boolean {
    return this.entries.some((known) => known.entryId === entryId);
  }

  after(entryId: string, count: number): Entry[] {
    let begin = this.entries.length;
    while (begin > 0 && isBefore(entryId, this.entries[begin - 1]!.entryId)) begin--;
    return this.entries.slice(begin, begin + count);
  }

  /** Answers whether it is a new group. */
  found(group: string, from: '$' | '0'): boolean {
    if (this.#groups.has(group)) return false;
    this.#groups.set(group, { lastGiven: from === '$' ? this.#lastId : BEGINNING, pending: new Map() });
    return true;
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  /** How many entries a group has been given and has not acknowledged. */
  pendingOf(group: string): number {
    return this.#groups.get(group)?.pending.size ?? 0;
  }

  give(group: string, consumer: string, count: number): Entry[] {
    const known = this.#groups.get(group)!;
    const entries = this.after(known.lastGiven, count);
    for (const { entryId } of entries)
      known.pending.set(entryId, { consumer, givenAt: this.own(), deliveries: 1 });
    known.lastGiven = entries.at(-1)?.entryId ?? known.lastGiven;
    return entries;
  }

  /** Answers how many of them were pending. */
  acknowledge(group: string, entryIds: readonly string[]): number {
    return entryIds.filter((entryId) => this.#groups.get(group)?.pending.delete(entryId)).length;
  }

  reclaim(group: string, consumer: string, idleMs: number, count: number): Reclaimed[] {
    const { pending } = this.#groups.get(group)!;
    const left = [...pending]
      .filter(([, { givenAt }]) => this.own() - givenAt >= idleMs)
      .sort(([one], [other]) => (isBefore(one, other) ? -1 : 1))
      .slice(0, count);
    return left.flatMap(([entryId, entry]) => {
      const kept = this.entries.find((known) => known.entryId === entryId);
      if (!kept) {
        pending.delete(entryId);
        return [];
      }
      Object.assign(entry, { consumer, givenAt: this.own(), deliveries: entry.deliveries + 1 });
      return [[entryId, entry.deliveries, ['e', kept.text]] as const];
    });
  }

  /** Answers how often the entry has been given now, or 0 if another member has it. */
  retry(group: string, consumer: string, entryId: string): number {
    const entry = this.#groups.get(group)!.pending.get(entryId);
    if (entry?.consumer !== consumer) return 0;
    entry.givenAt = this.own();
    return ++entry.deliveries;
  }

  /** Answers how many entries the member leaves behind. */
  leave(group: string, consumer: string): number {
    const pending = [...(this.#groups.get(group)?.pending.values() ?? [])];
    const left = pending.filter((entry) => entry.consumer === consumer);
    for (const entry of left) entry.givenAt = this.own() - A_DAY_MS;
    return left.length;
  }

  /** Cuts off what is older than an instant of the server's own clock, and worked off; answers how many entries. */
  trim(before: number): number {
    let floor = `${Math.max(0, before)}-0`;
    for (const { lastGiven, pending } of this.#groups.values()) {
      const oldest = [...pending.keys()].reduce(
        (one, other) => (isBefore(one, other) ? one : other),
        lastGiven,
      );
      if (isBefore(oldest, floor)) floor = oldest;
    }
    const kept = this.entries.filter(({ entryId }) => !isBefore(entryId, floor));
    const cut = this.entries.length - kept.length;
    this.entries.splice(0, cut);
    return cut;
  }
}

function isBefore(one: string, other: string): boolean {
  const [[at, number], [otherAt, otherNumber]] = [positionOf(one), positionOf(other)];
  return at < otherAt || (at === otherAt && number < otherNumber);
}

function positionOf(entryId: string): Position {
  const [at, number] = entryId.split('-').map(Number);
  return [at!, number!];
}
