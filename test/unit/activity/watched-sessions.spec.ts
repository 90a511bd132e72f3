import { beforeEach, describe, expect, it } from '@jest/globals';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';

const START = 1_000_000_000;
const LIMITS = { warnAfter: 5, expireAfter: 10 };

describe('the watched sessions of a process', () => {
  let watched: WatchedSessions;
  beforeEach(() => {
    watched = new WatchedSessions(START);
  });

  const put = (sessionId: string, userId?: string, limits = LIMITS): void =>
    watched.put(
      sessionId,
      { life: 1, startedAt: START, lastActivityAt: START, limits, ...(userId ? { userId } : {}) },
      START,
    );
  const dueAt = (seconds: number): string[] =>
    watched
      .due(START + seconds * 1000, 100)
      .due.map(({ sessionId, verdict }) => `${sessionId} ${verdict.phase}`);

  it('C1 last activity never decreases', () => {
    put('a');
    expect(watched.touch('a', START + 3_000, START + 3_000)).toMatchObject({ moved: true, renewed: false });
    expect(watched.touch('a', START + 2_000, START + 4_000)).toMatchObject({ moved: false, renewed: false });
    watched.learn('a', { lastActivityAt: START + 1_000 }, START + 4_000);
    expect(watched.get('a')?.lastActivityAt).toBe(START + 3_000);
  });

  it('says when the store knows only of activity that is too old', () => {
    put('a');
    const isOverdueAfter = (after: number): boolean =>
      watched.touch('a', START + after, START + after, 4_000).overdue;
    expect([3_999, 4_000, 5_000].map(isOverdueAfter)).toEqual([false, true, true]);
    expect(watched.touch('a', START + 4_500, START + 5_500, 4_000)).toMatchObject({
      moved: false,
      overdue: true,
    });
    watched.noteWritten('a', START + 5_000);
    expect([8_999, 9_000].map(isOverdueAfter)).toEqual([false, true]);
  });

  it('judges by what it allows for, and writes only what it has seen', () => {
    const record = {
      life: 1,
      startedAt: START,
      lastActivityAt: START + 1_000,
      allowanceMs: 1_000,
      limits: LIMITS,
    };
    const touch = (after: number) => watched.touch('a', START + after, START + 2_000, 400);
    watched.put('a', record, START + 1_500);
    expect(touch(0)).toMatchObject({ moved: false, overdue: false });
    expect(touch(399)).toMatchObject({ moved: true, overdue: false });
    expect(touch(400)).toMatchObject({ moved: true, overdue: true });
    expect(watched.get('a')).toMatchObject({ lastActivityAt: START + 1_000, allowanceMs: 600 });
    expect(watched.verdict('a', START + 10_999)?.phase).toBe('warning');
    watched.learn('a', { lastActivityAt: START + 1_700, allowanceMs: 1_000 }, START + 2_000);
    expect(touch(500)).toMatchObject({ moved: false, overdue: false });
    expect(watched.get('a')).toMatchObject({ lastActivityAt: START + 1_700, allowanceMs: 1_000 });
    watched.touch('a', START + 2_000, START + 2_000);
    expect(watched.get('a')).not.toHaveProperty('allowanceMs');
  });

  it('S7 what is learnt from the future says nothing', () => {
    put('a');
    watched.learn('a', { lastActivityAt: START + 9_000 }, START + 1_000);
    expect(watched.get('a')?.lastActivityAt).toBe(START);
  });

  it('V1 hands each boundary out once, and a touch in between moves nothing but the deadline', () => {
    put('a');
    watched.touch('a', START + 3_000, START + 3_000);
    expect(dueAt(5)).toEqual([]);
    expect(dueAt(8)).toEqual(['a warning']);
    expect(dueAt(9)).toEqual([]);
    expect(dueAt(13)).toEqual(['a expired']);
    expect(dueAt(14)).toEqual([]);
  });

  it('V1 activity in the warning renews, and the next warning comes in time', () => {
    put('a', undefined, { warnAfter: 2, expireAfter: 10 });
    expect(dueAt(2)).toEqual(['a warning']);
    expect(watched.touch('a', START + 3_000, START + 3_000)).toMatchObject({ moved: true, renewed: true });
    expect(dueAt(4)).toEqual([]);
    expect(dueAt(5)).toEqual(['a warning']);
    expect(dueAt(13)).toEqual(['a expired']);
  });

  it('S13 shorter limits take effect at once, longer ones call a warning off', () => {
    put('a', undefined, { warnAfter: 50, expireAfter: 60 });
    const setLimits = (limits: typeof LIMITS, after: number) => watched.setLimits('a', limits, START + after);
    expect(setLimits(LIMITS, 1_000)).toEqual({ changed: true, renewed: false });
    expect(setLimits({ ...LIMITS }, 1_000)).toEqual({ changed: false, renewed: false });
    expect(dueAt(5)).toEqual(['a warning']);
    expect(setLimits({ warnAfter: 6, expireAfter: 20 }, 6_000)).toEqual({ changed: true, renewed: false });
    expect(setLimits({ warnAfter: 20, expireAfter: 30 }, 6_000)).toEqual({ changed: true, renewed: true });
    expect(dueAt(10)).toEqual([]);
    expect(dueAt(20)).toEqual(['a warning']);
    expect(dueAt(30)).toEqual(['a expired']);
  });

  it('hands out slices, and says whether there is more', () => {
    for (let index = 0; index < 25; index++) put(`s${index}`);
    const sizes = [];
    for (let more = true; more;) {
      const slice = watched.due(START + 10_000, 10);
      sizes.push(slice.due.length);
      more = slice.more;
    }
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('hands an end out again when it was postponed', () => {
    put('a');
    expect(dueAt(10)).toEqual(['a expired']);
    watched.postpone('a', START + 10_000);
    expect(dueAt(10.5)).toEqual([]);
    expect(dueAt(11)).toEqual(['a expired']);
  });

  it('tells once what is to be written, and again when it could not be', () => {
    put('a');
    put('b');
    watched.touch('a', START + 1_000, START + 1_000);
    watched.touch('a', START + 2_000, START + 2_000);
    expect(watched.takeDirty()).toEqual(['a']);
    expect(watched.takeDirty()).toEqual([]);
    watched.markDirty('a');
    watched.markDirty('gone');
    watched.remove('b');
    expect(watched.takeDirty()).toEqual(['a']);
  });

  it('finds the sessions of a user among thousands, also after removals and growth', () => {
    for (let index = 0; index < 5_000; index++) put(`s${index}`, `user ${index % 1_000}`);
    for (let index = 0; index < 5_000; index += 2) watched.remove(`s${index}`);
    expect(watched.size).toBe(2_500);
    expect(watched.sessionIdsOf('user 7').sort()).toEqual(['s1007', 's2007', 's3007', 's4007', 's7']);
    expect(watched.sessionIdsOf('user 8')).toEqual([]);
    expect(watched.sessionIdsOf('nobody')).toEqual([]);
  });

  it('gives a freed row to another session without a trace of the first', () => {
    put('a', 'anna', { warnAfter: 1, expireAfter: 2 });
    watched.touch('a', START + 1_000, START + 1_000);
    watched.remove('a');
    put('b');
    expect(watched.get('b')).toEqual({
      life: 1,
      startedAt: START,
      lastActivityAt: START,
      limits: { ...LIMITS, maxLifetime: null },
    });
    expect(watched.takeDirty()).toEqual([]);
    expect(dueAt(4)).toEqual([]);
    expect(watched.sessionIdsOf('anna')).toEqual([]);
  });

  it('keeps limits only for as long as a session has them', () => {
    put('a');
    put('b');
    for (let left = 1; left <= 100; left++)
      watched.setLimits('a', { warnAfter: left / 2, expireAfter: left }, START);
    expect(watched.get('a')?.limits).toEqual({ warnAfter: 50, expireAfter: 100, maxLifetime: null });
    expect(watched.get('b')?.limits).toEqual({ ...LIMITS, maxLifetime: null });
    expect(watched.limitsInForce).toBe(2);
    expect(watched.setLimits('a', { warnAfter: 50, expireAfter: 100 }, START).changed).toBe(false);
    watched.remove('a');
    put('c');
    expect(watched.limitsInForce).toBe(1);
    expect(watched.get('c')?.limits).toEqual({ ...LIMITS, maxLifetime: null });
  });
});
