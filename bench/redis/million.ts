import { Child } from '../support/children.js';
import { RedisServer } from '../support/redis-server.js';
import { median, quantile, type Report, rounded } from '../support/report.js';
import { claimTimes, clientAt } from './claims.js';
import type { Question } from './engine-process.js';

/** `SESSIONS=100000` for a smaller one. */
const SESSIONS = Number(process.env['SESSIONS'] ?? 1_000_000);
const PROCESSES = 4;
/** Between two lines of progress. */
const STEPS = 10;
/** Of the sessions, those that end together. */
const ENDING = SESSIONS / 10;
/** Longer than nobody is ended after a time in which nobody looked. */
const SETTLING_MS = 5000;

/** A million sessions over several processes: what they take, and how long working some off holds Redis up. */
export async function measureMillion(say: (line: string) => void): Promise<Report> {
  const redis = await RedisServer.start();
  const client = clientAt(redis.socket);
  await client.connect();
  const processes = Array.from(
    { length: PROCESSES },
    () => new Child('./engine-process.js', import.meta.url, { args: [redis.socket] }),
  );
  const all = (question: (number: number) => Question): Promise<number[]> =>
    Promise.all(processes.map((child, number) => child.ask<number>(question(number))));
  try {
    await Promise.all(processes.map((child) => child.answer()));
    const empty = await redis.usedMemory();
    const count = SESSIONS / STEPS / PROCESSES;
    for (let step = 0; step < STEPS; step++) {
      await all((number) => ({ do: 'start', from: (step * PROCESSES + number) * count, count }));
      say(`${((step + 1) * SESSIONS) / STEPS} sessions of ${PROCESSES} processes`);
    }
    const memory = ((await redis.usedMemory()) - empty) / SESSIONS;

    say(`${ENDING} of them are made to end`);
    await all(() => ({ do: 'shorten', count: ENDING / PROCESSES }));
    await all(() => ({ do: 'look', forMs: SETTLING_MS }));
    say('their end');
    const processor = await redis.processorMicroseconds();
    let ended = 0;
    const claims = await claimTimes(client, async () => {
      ended = (await all(() => ({ do: 'drain' }))).reduce((sum, own) => sum + own, 0);
    });
    const perEnd = ((await redis.processorMicroseconds()) - processor) / ENDING;
    if (ended !== ENDING) throw new Error(`${ended} sessions were ended instead of ${ENDING}.`);
    const [usual, slow] = [median(claims), quantile(claims, 0.99)];
    return {
      title: `${SESSIONS} sessions in Redis`,
      tables: [
        {
          caption: `${SESSIONS} sessions of ${PROCESSES} processes in 16 shards, ${ENDING} of which end together`,
          columns: ['', 'measured'],
          rows: [
            ['memory of a session, with user and index of users', `${rounded(memory)} bytes`],
            ['end, recorded and told: processor time of Redis', `${rounded(perEnd)} µs`],
            ['look that works off 80 sessions, median', `${rounded(usual)} ms`],
            ['look that works off 80 sessions, 99 of 100 faster than', `${rounded(slow)} ms`],
          ],
        },
      ],
      targets: [
        { what: 'memory with user index', measured: memory, unit: 'bytes', atMost: 450 },
        { what: 'look that works off 80 sessions, median', measured: usual, unit: 'ms', atMost: 3 },
      ],
    };
  } finally {
    await Promise.all(processes.map((child) => child.stop()));
    client.destroy();
    await redis.stop();
  }
}
