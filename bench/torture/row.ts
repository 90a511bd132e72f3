import type { BenchedApplication } from '../browser/benched-application.js';
import type { BenchedClient, Claim } from '../browser/benched-client.js';
import type { Limits } from '../browser/clients/mount.js';
import type { Tab, UnmanagedTabs } from '../browser/unmanaged-tabs.js';
import { look, lookUntil, VisitedApplication } from '../browser/visited-application.js';

/** A row of the torture bench: something that browsers or people do, and what has to come of it. */
export interface Row {
  readonly id: string;
  readonly what: string;
  /** What a client has to claim for the row to count. */
  readonly needs?: readonly Claim[];
  readonly limits?: Limits;
  /** Content security policy of the page. */
  readonly policy?: string;
  /** Throws {@link RowFailure} when the client does not do what it has to. */
  play(scene: Scene): Promise<void>;
}

/** P: passed, F: failed, –: the client does not claim to do this. */
export interface Outcome {
  readonly verdict: 'P' | 'F' | '–';
  readonly because: string;
}

/** The client did not do what the row demands; anything else that is thrown is a fault of the bench. */
export class RowFailure extends Error {}

/** Short, so that real time can be used throughout: the browser's throttling knows no other. */
const LIMITS: Limits = { warnAfter: 3, expireAfter: 6 };

/** How much later than its limit something may come, on a busy machine too. Clients that fail do so by more, or for good. */
export const LATE_MS = 4000;

/** For how much longer than the limit somebody is active who has to stay. */
export const BEYOND_MS = 2500;

export async function playRow(row: Row, client: BenchedClient, tabs: UnmanagedTabs): Promise<Outcome> {
  const missing = row.needs?.find((claim) => !client.claims.includes(claim));
  if (missing) return { verdict: '–', because: `nothing in it ${missing}` };
  const scene = await Scene.prepare(row, client, tabs);
  try {
    await row.play(scene);
    return { verdict: 'P', because: '' };
  } catch (error) {
    if (error instanceof RowFailure) return { verdict: 'F', because: error.message };
    throw new Error(`${row.id} could not be played for ${client.name}`, { cause: error });
  } finally {
    await scene.close();
  }
}

/** One application with the client in its page, one browser, and what has to come of it. */
export class Scene {
  private constructor(
    readonly client: BenchedClient,
    readonly limits: Limits,
    private readonly visited: VisitedApplication,
  ) {}

  static async prepare(row: Row, client: BenchedClient, tabs: UnmanagedTabs): Promise<Scene> {
    const limits = row.limits ?? LIMITS;
    return new Scene(client, limits, await VisitedApplication.start(tabs, client, limits, row.policy));
  }

  close(): Promise<void> {
    return this.visited.close();
  }

  get application(): BenchedApplication {
    return this.visited.application;
  }

  get expireAfterMs(): number {
    return this.limits.expireAfter * 1000;
  }

  /** Opens the application in a tab in front of the others; the client has to watch it. */
  async open(): Promise<Tab> {
    const tab = await this.visited.open();
    const { errors } = await look(tab);
    if (errors.length > 0) throw new RowFailure(`throws ${errors[0]}`);
    return tab;
  }

  /** Opens a tab with something else, in front of the others. */
  openElsewhere(): Promise<Tab> {
    return this.visited.openElsewhere();
  }

  /** The machine sleeps. */
  sleep(milliseconds: number): Promise<void> {
    return this.visited.sleep(milliseconds);
  }

  /** The content has to be gone from the tab by then, whatever goes on meanwhile. */
  async expectGone(tab: Tab, withinMs: number, meanwhile?: () => Promise<unknown>): Promise<void> {
    const gone = await lookUntil(withinMs, async () => {
      if (!(await look(tab)).shown) return true;
      await meanwhile?.();
      return false;
    });
    if (!gone) throw new RowFailure(`content still shown after ${seconds(withinMs)}`);
  }

  /** The content has to stay in the tab for so long. */
  async expectShown(tab: Tab, forMs: number, meanwhile?: () => Promise<unknown>): Promise<void> {
    const startedAt = Date.now();
    const gone = await lookUntil(forMs, async () => {
      if (!(await look(tab)).shown) return true;
      await meanwhile?.();
      return false;
    });
    if (gone) throw new RowFailure(`content gone after ${seconds(Date.now() - startedAt)}`);
  }

  async expectWarned(tab: Tab, withinMs: number): Promise<void> {
    const warned = await lookUntil(withinMs, async () => (await look(tab)).warned);
    if (!warned) throw new RowFailure(`no warning within ${seconds(withinMs)}`);
  }

  /** For so long there has to be no sign of the client. */
  async expectQuiet(tab: Tab, forMs: number): Promise<void> {
    const seen = await lookUntil(forMs, async () => {
      const { shown, warned } = await look(tab);
      return !shown || warned;
    });
    if (seen) throw new RowFailure('warns or expires at once');
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
