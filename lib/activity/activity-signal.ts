import type { TimeoutReason } from '../policy/index.js';
import type { ActivityRecord, EndReason } from './activity-record.js';

/** What the engine tells of a session. Instants in epoch milliseconds. */
export type ActivitySignal =
  | {
      readonly kind: 'use-after-end';
      readonly id: string;
      readonly at: number;
      readonly reason: EndReason;
      readonly userId?: string;
    }
  | { readonly kind: 'start'; readonly record: ActivityRecord; readonly at: number }
  | {
      readonly kind: 'warn';
      readonly record: ActivityRecord;
      readonly at: number;
      readonly dueAt: number;
      readonly reason: TimeoutReason;
    }
  | { readonly kind: 'renew'; readonly record: ActivityRecord; readonly at: number }
  | {
      readonly kind: 'end';
      readonly record: ActivityRecord;
      readonly at: number;
      readonly dueAt: number;
      readonly reason: EndReason;
    };
