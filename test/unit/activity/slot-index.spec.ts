import { describe, expect, it } from '@jest/globals';
import { SlotIndex } from '../../../lib/activity/slot-index.js';
import { NONE } from '../../../lib/activity/slot-lists.js';

describe('the slot index', () => {
  it('finds what was added and not what was removed, while it grows', () => {
    const rows: (string | undefined)[] = [];
    const index = new SlotIndex((slot) => rows[slot]);
    const add = (slot: number): void => {
      rows[slot] = `session ${slot}`;
      index.reserve(slot + 1);
      index.add(`session ${slot}`, slot);
    };
    for (let slot = 0; slot < 5_000; slot++) {
      add(slot);
      if (slot % 3 === 0) {
        index.remove(slot);
        rows[slot] = undefined;
      }
    }
    expect(index.size).toBe(3_333);
    for (let slot = 0; slot < 5_000; slot++)
      expect(index.find(`session ${slot}`)).toBe(slot % 3 === 0 ? NONE : slot);
    expect(index.find('nobody')).toBe(NONE);
  });

  it('answers all slots of one text, the last added first, also when there are thousands of other texts', () => {
    const rows: string[] = [];
    const index = new SlotIndex((slot) => rows[slot]);
    for (let slot = 0; slot < 5_000; slot++) {
      rows[slot] = slot % 1_000 === 7 ? 'anna' : `user ${slot}`;
      index.reserve(slot + 1);
      index.add(rows[slot]!, slot);
    }
    expect(index.findAll('anna')).toEqual([4_007, 3_007, 2_007, 1_007, 7]);
    expect(index.findAll('ben')).toEqual([]);
  });
});
