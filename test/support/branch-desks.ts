import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { storedRecord } from '../../lib/redis/stored-record.js';
import { createApplication } from '../../sample/application.js';
import type { SampleSettings } from '../../sample/settings.js';
import { openSharedSessions } from '../../sample/shared-sessions.js';
import { compile, removeCompiled } from './compiled.js';
import type { Premises } from './front-desk.js';
import { RedisServer } from './redis-server.js';
import { RoundRobinProxy } from './round-robin-proxy.js';

const SECRET = 'the secret of all processes of the practice';
/** What a process knows of activity, it has written by then. */
const WRITTEN_AFTER_MS = 1500;

/**
 * The sample in two processes of their own behind a proxy that gives each request to the other one. A third, here, is
 * never asked anything by a browser: it hears what happens, and looks in from behind.
 */
export async function openBranchDesks(limits: SampleSettings['limits']): Promise<Premises> {
  const server = await RedisServer.start();
  const compiled = compile();
  const settings: SampleSettings = { port: 0, limits, redis: { url: server.url, secret: SECRET } };
  const branches = await Promise.all([startBranch(compiled, settings), startBranch(compiled, settings)]);
  const proxy = await RoundRobinProxy.before(branches.map(({ port }) => port));
  const shared = await openSharedSessions(settings);
  const application = await createApplication(settings, false, shared);
  await application.init();
  return {
    application,
    address: proxy.address,
    lastActivityAt: async () => {
      await pause(WRITTEN_AFTER_MS);
      for (const key of (await server.command('KEYS', 'ss:*:s:*')) as string[]) {
        const found = storedRecord(key, String(await server.command('GET', key)));
        if (found) return found.record.lastActivityAt;
      }
      throw new Error('Nobody is signed in');
    },
    close: async () => {
      await proxy.close();
      await Promise.all(branches.map(({ stop }) => stop()));
      await application.close();
      shared!.disconnect();
      await server.stop();
      removeCompiled(compiled);
    },
  };
}

interface Branch {
  readonly port: number;
  readonly stop: () => Promise<unknown>;
}

/** Starts the sample as `npm start` does, once it is built. */
async function startBranch(compiled: string, { limits, redis }: SampleSettings): Promise<Branch> {
  const child = fork(join(compiled, 'sample/main.js'), [], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      ...process.env,
      PORT: '0',
      SESSION_LIMITS: `${limits.warnAfter},${limits.expireAfter}`,
      REDIS_URL: redis!.url,
      SESSION_SECRET: redis!.secret,
    },
  });
  return { port: await portOf(child), stop: () => stopped(child) };
}

/** The port is in what the sample prints when it is open. */
function portOf(child: ChildProcess): Promise<number> {
  let printed = '';
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', (chunk) => {
      printed += String(chunk);
      const [, port] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error(`The sample did not open: ${printed}`)));
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  // One that is not there any more has failed the stories.
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('The sample has ended by itself');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
