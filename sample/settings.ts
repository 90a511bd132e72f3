/** What can be set from outside; see `npm start` in the README. */
export interface SampleSettings {
  readonly port: number;
  /** Limits of the front desk, in seconds. The practice manager's are twice as long. */
  readonly limits: { readonly warnAfter: number; readonly expireAfter: number };
  /** Where several processes of the practice keep its sessions, and the secret that they share. */
  readonly redis?: { readonly url: string; readonly secret: string };
}

/**
 * Reads `PORT`; `SESSION_LIMITS`, which is `warnAfter,expireAfter` in seconds: `SESSION_LIMITS=5,10` shows the whole
 * story in a minute; and, for several processes, `REDIS_URL` and `SESSION_SECRET`.
 *
 * @throws {Error} that says what is wrong with a value
 */
export function readSettings(environment: NodeJS.ProcessEnv): SampleSettings {
  return {
    port: readPort(environment['PORT']),
    limits: readLimits(environment['SESSION_LIMITS']),
    ...readRedis(environment['REDIS_URL'], environment['SESSION_SECRET']),
  };
}

function readRedis(url: string | undefined, secret: string | undefined): Pick<SampleSettings, 'redis'> {
  if (url === undefined) return {};
  if (secret !== undefined) return { redis: { url, secret } };
  throw new Error('REDIS_URL needs SESSION_SECRET, of 32 characters or more, the same for every process');
}

function readPort(text = '3000'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT must be a port number, but is "${text}"`);
}

function readLimits(text = '540,600'): SampleSettings['limits'] {
  const [warnAfter, expireAfter, ...more] = text.split(',').map(Number);
  // Whether the numbers make sense together is judged by the module itself, at boot.
  if (more.length === 0 && Number.isFinite(warnAfter) && Number.isFinite(expireAfter)) {
    return { warnAfter: warnAfter!, expireAfter: expireAfter! };
  }
  throw new Error(
    `SESSION_LIMITS must be two numbers of seconds, warnAfter,expireAfter such as 5,10, but is "${text}"`,
  );
}
