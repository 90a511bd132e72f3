import 'reflect-metadata';
import { demoUsers, limitsOf } from './accounts/demo-users.js';
import { createApplication } from './application.js';
import { inWords } from './pages/durations.js';
import { readSettings } from './settings.js';
import { openSharedSessions } from './shared-sessions.js';

const settings = readSettings(process.env);
const application = await createApplication(settings, ['error', 'warn'], await openSharedSessions(settings));
application.enableShutdownHooks();
await application.listen(settings.port, '127.0.0.1');

const { port } = application.getHttpServer().address() as { port: number };
console.log(`
Lindenhof Practice is open: http://127.0.0.1:${port}

Sign in as
${demoUsers.map((user) => `  ${describe(user)}`).join('\n')}

Set SESSION_LIMITS=5,10 to be warned after 5 and signed out after 10 seconds, REDIS_URL and SESSION_SECRET to run several
of it together. Ctrl+C ends it.
`);

function describe(user: (typeof demoUsers)[number]): string {
  const { warnAfter, expireAfter } = limitsOf(user, settings.limits);
  const limits = `warned after ${inWords(warnAfter)}, signed out after ${inWords(expireAfter)}`;
  return `${user.id.padEnd(10)} password ${user.password.padEnd(12)} ${limits}`;
}
