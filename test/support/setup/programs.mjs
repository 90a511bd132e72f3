import { execFileSync } from 'node:child_process';

const VARIABLES = { chromium: 'CHROMIUM_PATH', 'redis-server': 'REDIS_SERVER_PATH' };

/**
 * Where a program is that npm cannot bring. It is looked for once in a run, because every look starts it: the processes
 * that run spec files inherit the environment.
 *
 * @param {keyof typeof VARIABLES} name
 */
export function findProgram(name) {
  return (process.env[VARIABLES[name]] ||= execFileSync(process.execPath, ['scripts/provision.mjs', name], {
    encoding: 'utf8',
  }).trim());
}
