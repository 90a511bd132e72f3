export * from './session-security.options.js';
export * from './validate-options.js';
