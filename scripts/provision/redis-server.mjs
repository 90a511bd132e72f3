import { aptInstaller, brewInstaller } from './provision.mjs';

/** @type {import('./provision.mjs').Requirement} */
export const redisServer = {
  name: 'Redis',
  environmentVariable: 'REDIS_SERVER_PATH',
  commands: ['redis-server', 'valkey-server'],
  otherPlaces: () => ['/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'],
  installers: [aptInstaller('redis-server'), brewInstaller('redis')],
  advice:
    'Install the Redis server with your package manager (Debian: apt-get install redis-server), ' +
    'or set REDIS_SERVER_PATH to its program, and run the tests again.',
};
