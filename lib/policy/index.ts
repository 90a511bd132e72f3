export * from './limits.js';
export * from './verdict.js';
export * from './policy-description.js';
export * from './presets.js';
export * from './shown-value.js';
