/** One measurement in a process of its own, so that it finds an empty heap and leaves none to others. */
import { answering } from '../support/children.js';
import { measureActivity } from './activity.js';
import { measureExpiry } from './expiry.js';
import { measureFlush } from './flush.js';
import { measureMemory } from './memory.js';

const measurements = { measureMemory, measureActivity, measureFlush, measureExpiry };

export interface Question {
  readonly measure: keyof typeof measurements;
  readonly given: readonly (number | boolean)[];
}

answering(({ measure, given }: Question) =>
  (measurements[measure] as (...given: readonly (number | boolean)[]) => unknown)(...given),
);
