/**
 * Finds or installs what the tests need and npm cannot bring: `node scripts/provision.mjs [name]`.
 *
 * Progress goes to stderr; stdout holds one line for each program, its full path. Exits with 1, saying what to do, when
 * one of them cannot be had.
 */
import { chromium } from './provision/chromium.mjs';
import { provide, ProvisioningError } from './provision/provision.mjs';
import { redisServer } from './provision/redis-server.mjs';

const requirements = { chromium, 'redis-server': redisServer };

function chosen(names) {
  const unknown = names.find((name) => !Object.hasOwn(requirements, name));
  if (unknown !== undefined) {
    throw new ProvisioningError(
      `"${unknown}" is unknown; known are ${Object.keys(requirements).join(', ')}.`,
    );
  }
  return names.length === 0 ? Object.values(requirements) : names.map((name) => requirements[name]);
}

try {
  for (const requirement of chosen(process.argv.slice(2))) {
    console.log(provide(requirement, (line) => console.error(line)));
  }
} catch (error) {
  if (!(error instanceof ProvisioningError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
