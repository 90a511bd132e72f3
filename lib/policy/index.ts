export * from './limits.js';
export * from './verdict.js';
