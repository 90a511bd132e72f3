export { reportOf } from './outcome.js';
export { simulateProcesses } from './processes/simulate-processes.js';
export { simulate } from './simulate.js';
