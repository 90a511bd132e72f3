import { findProgram } from './programs.mjs';

/** Runs before the first spec file of the project. */
export default () => void findProgram('redis-server');
