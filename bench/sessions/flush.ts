/** Writing the activity of very many sessions to the store at once. */
import { Engine, ManualClock, sessionIds, userIds } from './engine.js';
import { longestStandstill } from './standstill.js';

const FLUSH_INTERVAL_MS = 10_000;

export interface Flush {
  readonly sessions: number;
  readonly cpuMicrosecondsEach: number;
  readonly longestStandstillMs: number;
}

export async function measureFlush(sessions: number): Promise<Flush> {
  const engine = new Engine(new ManualClock(), FLUSH_INTERVAL_MS);
  const ids = sessionIds(sessions);
  const users = userIds(sessions);
  for (let index = 0; index < sessions; index++) {
    engine.watch(ids[index]!, 1_000, users[index]);
    await engine.keep(ids[index]!, users[index]!);
  }
  for (const id of ids) engine.tracker.touch(id);
  const before = process.cpuUsage();
  const longestStandstillMs = await longestStandstill(() => engine.tracker.flush());
  const { user, system } = process.cpuUsage(before);
  return { sessions, cpuMicrosecondsEach: (user + system) / sessions, longestStandstillMs };
}
