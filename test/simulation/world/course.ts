import type { Scheduler } from './scheduler.js';

/** A world in which one thing happens after the other. */
export interface Course {
  readonly scheduler: Scheduler;
  readonly oracle: { readonly broken?: unknown; afterStep(): void };
  note(what: string): void;
  /** Lets all code run that the present happening leads into. */
  finishTurns(): Promise<void>;
}

/** Lets happen what is to happen within a time, or until a promise is broken. */
export async function letHappen(course: Course, milliseconds: number): Promise<void> {
  const { scheduler, oracle } = course;
  let reached = false;
  // A millisecond more, so that it comes after all that begins now.
  scheduler.after(milliseconds + 1, 'the time is over', () => (reached = true));
  while (!reached && !oracle.broken) {
    const happening = scheduler.take()!;
    if (!happening.matters()) continue;
    course.note(happening.label);
    happening.run();
    await course.finishTurns();
    oracle.afterStep();
  }
}
