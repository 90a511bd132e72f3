import { Child } from '../support/children.js';
import { median, type Report, rounded, type Table } from '../support/report.js';
import type { Activity } from './activity.js';
import type { Expiry } from './expiry.js';
import type { Flush } from './flush.js';
import type { Memory } from './memory.js';
import type { Question } from './process.js';

const MILLION = 1_000_000;
const EXPIRING = 100_000;
const FLUSHED = 100_000;
/** The second size lies just beyond the point where tables that double would have doubled. */
const MEMORY_SIZES = [MILLION, 1_100_000];
const EXPIRY_RUNS = 3;

/** A million watched sessions in one process. */
export async function measureSessions(say: (line: string) => void): Promise<Report> {
  const memories: Memory[] = [];
  for (const size of MEMORY_SIZES) {
    say(`memory of ${size} sessions`);
    memories.push(await inProcess<Memory>({ measure: 'measureMemory', given: [size] }));
  }
  say('touches and ticks');
  const activity = await inProcess<Activity>({ measure: 'measureActivity', given: [MILLION] });
  say(`flush of ${FLUSHED} sessions`);
  const flush = await inProcess<Flush>({ measure: 'measureFlush', given: [FLUSHED] });
  return report(memories, activity, flush, await expire(true, say), await expire(false, say));
}

async function expire(isParted: boolean, say: (line: string) => void): Promise<Expiry[]> {
  const expiries: Expiry[] = [];
  for (let run = 1; run <= EXPIRY_RUNS; run++) {
    say(`${EXPIRING} expire in one second, ${storeName(isParted)}, run ${run} of ${EXPIRY_RUNS}`);
    expiries.push(
      await inProcess<Expiry>({ measure: 'measureExpiry', given: [MILLION, EXPIRING, isParted] }),
    );
  }
  return expiries;
}

function storeName(isParted: boolean): string {
  return isParted ? 'in 64 MemoryStores' : 'in one MemoryStore';
}

async function inProcess<Answer>(question: Question): Promise<Answer> {
  const child = new Child('./process.js', import.meta.url, { execArgv: ['--expose-gc'] });
  try {
    return await child.ask<Answer>(question);
  } finally {
    await child.stop();
  }
}

function report(
  memories: readonly Memory[],
  activity: Activity,
  flush: Flush,
  expiries: readonly Expiry[],
  inOneStore: readonly Expiry[],
): Report {
  const of = (name: keyof Expiry): number => median(expiries.map((expiry) => expiry[name]));
  return {
    title: `${MILLION} watched sessions`,
    tables: [
      memoryTable(memories),
      touchTable(activity),
      flushTable(flush),
      expiryTable(expiries, true),
      expiryTable(inOneStore, false),
    ],
    targets: [
      {
        what: 'memory beside the id strings, each',
        measured: memories[0]!.bytesEach,
        unit: 'bytes',
        atMost: 100,
      },
      { what: 'touch', measured: activity.touchMicroseconds, unit: 'µs', atMost: 1 },
      { what: 'steady tick, median', measured: activity.tickMedianMs, unit: 'ms', atMost: 3 },
      { what: 'steady tick, worst', measured: activity.tickWorstMs, unit: 'ms', atMost: 3 },
      {
        what: `${EXPIRING} expire in one second: longest standstill`,
        measured: of('longestStandstillMs'),
        unit: 'ms',
        atMost: 10,
      },
      {
        what: `${EXPIRING} expire in one second: last event after the last deadline`,
        measured: of('lastEventMs') / 1000,
        unit: 's',
        atMost: 2,
      },
    ],
  };
}

function memoryTable(memories: readonly Memory[]): Table {
  return {
    caption: 'Memory, and what growing costs',
    columns: ['sessions', 'bytes each', 'longest addition, ms'],
    rows: memories.map(({ sessions, bytesEach, longestAdditionMs }) =>
      [sessions, bytesEach, longestAdditionMs].map(rounded),
    ),
  };
}

function touchTable({ touchMicroseconds, mapMicroseconds }: Activity): Table {
  return {
    caption: 'A touch of one of them, in random order, by an id that has just come off the wire',
    columns: ['', 'CPU µs', 'ratio'],
    rows: [
      ['in a `Map` of objects, nothing but the instant', mapMicroseconds],
      ['by this module', touchMicroseconds],
    ].map(([what, microseconds]) => [
      String(what),
      rounded(Number(microseconds)),
      rounded(Number(microseconds) / mapMicroseconds),
    ]),
  };
}

function flushTable({ sessions, cpuMicrosecondsEach, longestStandstillMs }: Flush): Table {
  return {
    caption: 'Flush of all activity to a MemoryStore',
    columns: ['sessions', 'CPU µs each', 'longest standstill, ms'],
    rows: [[sessions, cpuMicrosecondsEach, longestStandstillMs].map(rounded)],
  };
}

function expiryTable(expiries: readonly Expiry[], isParted: boolean): Table {
  return {
    caption: `${EXPIRING} of ${MILLION} sessions expire within one second, ${storeName(isParted)}`,
    columns: ['run', 'CPU µs each', 'last event, ms', 'longest standstill, ms', 'the same when idle, ms'],
    rows: expiries.map((expiry, run) => [
      String(run + 1),
      ...[
        expiry.cpuMicrosecondsEach,
        expiry.lastEventMs,
        expiry.longestStandstillMs,
        expiry.idleStandstillMs,
      ].map(rounded),
    ]),
  };
}
