import type { ServerProcess } from '../world/server-process.js';
import type { RedisLink } from './redis-link.js';

/** A place for a process on a machine of its own, and who has it now. */
export interface Seat {
  readonly number: number;
  /** How far the machine's steady clock is from that of the world, and by how much it is too fast. */
  readonly offsetMs: number;
  readonly drift: number;
  process?: Incumbent | undefined;
}

/** A process, with what the world knows of it. */
export interface Incumbent {
  readonly server: ServerProcess;
  readonly link: RedisLink;
  /** It takes requests. */
  listening: boolean;
  /** Until this instant nothing of it runs. */
  frozenUntil: number;
  /** Since when nothing has kept it from doing its work; `Infinity` while something does. */
  wellSince: number;
  /** Since when it cannot reach Redis at all. */
  cutOffSince?: number | undefined;
  /** It was asked to stop: it looks at no deadline any more. */
  closing: boolean;
}
