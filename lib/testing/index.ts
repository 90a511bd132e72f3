export { Clock } from '../activity/clock.js';
export { SessionEventRecorder } from './session-event-recorder.js';
export { VirtualClock } from './virtual-clock.js';
