import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import session from 'express-session';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { refuseCrossSiteWrites } from './cross-site.js';
import { SESSION_COOKIE } from './session-cookie.js';
import type { SampleSettings } from './settings.js';
import type { SharedSessions } from './shared-sessions.js';

/** Nothing inline and nothing from elsewhere. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** The whole application, ready to listen. */
export async function createApplication(
  settings: SampleSettings,
  logger: LogLevel[] | false,
  shared?: SharedSessions,
): Promise<NestExpressApplication> {
  const application = await NestFactory.create<NestExpressApplication>(AppModule.with(settings, shared), {
    logger,
    // Event streams never end by themselves, and the application must be able to.
    forceCloseConnections: true,
  });
  application.use(helmet({ contentSecurityPolicy }));
  application.useStaticAssets(fileURLToPath(new URL('./public', import.meta.url)), { prefix: '/assets/' });
  application.use(
    session({
      name: SESSION_COOKIE,
      // Sessions that live in memory need no key that outlives the process.
      secret: shared?.secret ?? randomBytes(32).toString('base64url'),
      ...(shared && { store: shared.data }),
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
    }),
  );
  application.use(refuseCrossSiteWrites);
  return application;
}
