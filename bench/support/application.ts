import 'reflect-metadata';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  Get,
  type INestApplication,
  Module,
  type NestInterceptor,
  Post,
  Req,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import session, { type Store } from 'express-session';
import type { Observable } from 'rxjs';
import { SessionSecurityModule } from '../../lib/index.js';
import type { RedisActivityStore } from '../../lib/redis/index.js';

/**
 * How an application keeps idle sessions out: not at all, by the usual middleware that writes the last activity into the
 * session, or with this module, whose records lie beside the sessions or, for several processes (`shared`), in Redis. And
 * what Nest itself takes for any global guard and interceptor, though they do nothing; that is all there can be gained
 * where the sessions' own `EXPIRE` is left out (`unexpiring`).
 */
export type Variant = 'bare' | 'hand-written' | 'empty' | 'module' | 'unexpiring' | 'shared';
export const VARIANT_NAMES: Record<Variant, string> = {
  bare: 'express-session alone',
  'hand-written': 'with `req.session.lastActivity = now`',
  empty: 'with a global guard and an interceptor that do nothing',
  module: 'with nestjs-session-security',
  unexpiring: 'without EXPIRE, with a global guard and an interceptor that do nothing',
  shared: 'with nestjs-session-security and RedisActivityStore',
};

interface SessionData {
  user?: { id: string };
  lastActivity?: number;
}

const WARN_AFTER = 540;
const EXPIRE_AFTER = 600;

/** As little as an application can do, so that what stands around it weighs as much as it ever does. */
@Controller()
class OrdersController {
  @Post('sign-in')
  signIn(@Req() request: Request): object {
    sessionOf(request).user = { id: `user-${Math.random()}` };
    return {};
  }

  @Get('orders')
  orders(@Req() request: Request): object {
    return { user: sessionOf(request).user?.id, orders: [{ id: 1, item: 'tea', amount: 2 }] };
  }
}

@Module({ controllers: [OrdersController] })
class BareModule {}

@Module({
  imports: [SessionSecurityModule.forRoot({ warnAfter: WARN_AFTER, expireAfter: EXPIRE_AFTER })],
  controllers: [OrdersController],
})
class WatchedModule {}

class EmptyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

class EmptyInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Module({
  controllers: [OrdersController],
  providers: [
    { provide: APP_GUARD, useClass: EmptyGuard },
    { provide: APP_INTERCEPTOR, useClass: EmptyInterceptor },
  ],
})
class EmptyModule {}

/** As {@link WatchedModule}, for one of several processes. */
function sharedModule(store: RedisActivityStore): Type {
  @Module({
    imports: [
      SessionSecurityModule.forRoot({
        warnAfter: WARN_AFTER,
        expireAfter: EXPIRE_AFTER,
        secret: 'for the benchmark only, of all its processes',
        store,
      }),
    ],
    controllers: [OrdersController],
  })
  class SharedModule {}
  return SharedModule;
}

const MODULES: Record<Exclude<Variant, 'shared'>, Type> = {
  bare: BareModule,
  'hand-written': BareModule,
  empty: EmptyModule,
  module: WatchedModule,
  unexpiring: EmptyModule,
};

/** The same application in one of its variants, not listening yet. */
export async function createApplication(
  variant: Variant,
  store: Store = new session.MemoryStore(),
  records?: RedisActivityStore,
): Promise<INestApplication> {
  const module = variant === 'shared' ? sharedModule(records!) : MODULES[variant];
  const application = await NestFactory.create(module, { logger: ['error'] });
  application.use(
    session({ secret: 'for the benchmark only', resave: false, saveUninitialized: false, store }),
  );
  if (variant === 'hand-written') application.use(rememberActivity);
  return application;
}

/** What applications write by themselves, and what most answers on the subject recommend. */
function rememberActivity(request: Request, _response: Response, next: NextFunction): void {
  const data = sessionOf(request);
  const now = Date.now();
  if (data.lastActivity !== undefined && now - data.lastActivity > EXPIRE_AFTER * 1000) {
    request.session.destroy(next);
    return;
  }
  if (data.user) data.lastActivity = now;
  next();
}

function sessionOf(request: Request): SessionData {
  const data: object = request.session;
  return data;
}
