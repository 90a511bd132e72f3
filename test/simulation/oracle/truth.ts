import type { Limits } from '../../../lib/index.js';
import type { Scheduler } from '../world/scheduler.js';
import type { ServerProcess } from '../world/server-process.js';
import type { SessionStorage } from '../world/session-storage.js';
import type { Settings } from '../world/settings.js';
import type { Visit } from '../world/visit.js';
import { BrokenPromise, type Promised } from './broken-promise.js';
import { History } from './history.js';
import { type Claim, Life } from './life.js';
import { ProcessClocks } from './process-clocks.js';
import { recordIn, type StoredRecord } from './stored.js';

/** A tick is due every second, and a deadline is found at the first whole second after it. */
export const FOUND_WITHIN_MS = 2000;
/** The calls to a calm store between a deadline and its event. */
export const WORK_MS = 300;

/** What the oracle looks at besides what it is told. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly storage: SessionStorage;
  readonly settings: Settings;
  /** What the machine's wall clock shows. */
  wall(): number;
  /** Writes down what is seen. */
  note(what: string): void;
}

/** What a visit has to do with lives. */
interface Involvement {
  /** Whose life its handler found in the session. */
  servedAs?: Life;
  began?: Life;
  moves?: { readonly life: Life; readonly to: string };
  readonly claims: Claim[];
  /** On what goes on under another id than that of its cookie. */
  readonly claimsOfMoved: Claim[];
}

/** What is truly known of the world, and the first promise that was broken there: what all parts of the oracle share. */
export class Truth {
  broken: BrokenPromise | undefined;
  readonly history = new History();
  readonly clocks = new ProcessClocks();
  /** Since when processes are shutting down: they look at no deadline any more, and write what they know. */
  readonly closingSince = new Map<ServerProcess, number>();
  readonly involved = new Map<Visit, Involvement>();
  /** By session id, as the application answered last. */
  readonly limitsAsked = new Map<string, Limits>();
  /** By user, the latest instant at which all their sessions were to be ended, by the clock of whichever process. */
  readonly revokedAt = new Map<string, number>();

  constructor(readonly world: Surroundings) {}

  get at(): number {
    return this.world.scheduler.now;
  }

  get graceMs(): number {
    return this.world.settings.flushInterval * 1000;
  }

  break(promised: Promised, what: string): void {
    this.broken ??= new BrokenPromise(promised, what);
  }

  troubledSince(at: number): boolean {
    return this.world.storage.troubledUntil >= at;
  }

  involvementOf(visit: Visit): Involvement {
    const involvement = this.involved.get(visit) ?? { claims: [], claimsOfMoved: [] };
    this.involved.set(visit, involvement);
    return involvement;
  }

  recordOf(life: Life): StoredRecord | undefined {
    return recordIn(this.world.storage, this.history.referenceOf(life.sessionId));
  }

  begin(number: number, user: string, sessionId: string, isReused: boolean): Life {
    const count = this.history.lives.length + 1;
    const { limits } = this.world.settings;
    const life = new Life(count, user, sessionId, isReused, limits, number, this.at);
    this.history.add(life);
    this.world.note(`${life.title} begins`);
    return life;
  }

  /** A failing store may keep the record of a start that it reported as failed, and so nobody was told. */
  beginUntold(
    life: Life,
    process: ServerProcess,
    seen: { startedAt: number; lastActivityAt: number } | undefined,
  ): void {
    if (life.state !== 'beginning' || !life.doubtful || !seen) return;
    life.state = 'alive';
    life.started(seen.startedAt);
    life.process = process.number;
    life.active(seen.lastActivityAt, this.at);
    life.latest = stamp(process);
    life.foreseenSince = life.latest;
  }

  adopt(life: Life, process: ServerProcess): void {
    life.adoptedBy(process.number, stamp(process), this.graceMs);
    if (life.startedAt === life.startedBy) return;
    const stored = this.recordOf(life);
    if (stored && life.mayHaveStarted(stored.startedAt)) life.started(stored.startedAt);
  }

  latestIn(life: Life, process: ServerProcess): number {
    return life.latestFor(process.number, stamp(process), this.graceMs);
  }
}

/** What a process's clock shows. */
export function stamp(process: ServerProcess): number {
  return process.clock.now();
}

export function titleOf(visit: Visit): string {
  return `visit ${visit.number} (${visit.plan.errand})`;
}

export function sameLimits(left: Limits, right: Limits): boolean {
  return (
    left.warnAfter === right.warnAfter &&
    left.expireAfter === right.expireAfter &&
    (left.maxLifetime ?? null) === (right.maxLifetime ?? null)
  );
}
