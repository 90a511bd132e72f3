import { bundleClient } from '../../../scripts/bundle-client.mjs';
import { findProgram } from './programs.mjs';

/**
 * Runs before the first spec file of the project. The script tag's file and what it loads apart are built here, as they are
 * published, from the sources that are under test: it takes seconds, which no spec file should spend on its own.
 */
export default async function setUp() {
  findProgram('chromium');
  const [client, ending] = await Promise.all([
    bundleClient('client/auto.ts', { format: 'iife' }),
    bundleClient('client/ending/ending.ts', { format: 'esm' }),
  ]);
  process.env.CLIENT_SCRIPTS = JSON.stringify({
    '/session-security/client.js': client.code,
    '/session-security/client/ending.js': ending.code,
  });
}
