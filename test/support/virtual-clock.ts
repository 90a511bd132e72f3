export { VirtualClock } from '../../lib/testing/index.js';
