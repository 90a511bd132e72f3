import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Logger,
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  type AbstractHttpAdapter,
  APP_GUARD,
  APP_INTERCEPTOR,
  DiscoveryModule,
  HttpAdapterHost,
} from '@nestjs/core';
import { ActivityStore } from './activity/activity-store.js';
import { ActivityTracker } from './activity/activity-tracker.js';
import { Clock, SteadyClock, SystemClock } from './activity/clock.js';
import { SessionReferences } from './activity/session-reference.js';
import { SharedActivityStore } from './activity/shared-activity-store.js';
import { StoreCalls } from './activity/store-calls.js';
import {
  ExpressSessionActivityStore,
  type SessionStore,
} from './activity/stores/express-session-activity-store.js';
import { UserSessions } from './activity/user-sessions.js';
import { WatchedSessions } from './activity/watched-sessions.js';
import { AuditLog } from './events/audit-log.js';
import { EventHandlerExplorer } from './events/event-handler.explorer.js';
import { SessionSecurityEvents } from './events/session-security-events.js';
import { SessionSecurityHealth } from './events/session-security-health.js';
import { ClientFiles } from './http/client-files.js';
import { ClientTag } from './http/client-tag.js';
import { ClientTexts } from './http/client-texts.js';
import { clientScriptController } from './http/client-script.controller.js';
import { DraftKeys } from './http/draft-keys.js';
import { EndNotice } from './http/end-notice.js';
import { ExpiredAnswer } from './http/expired-answer.js';
import { AdapterSessionPlatform, isFastify } from './http/adapter-session-platform.js';
import { ExpressEntrance } from './http/express/express-entrance.js';
import { ExpressPageTags } from './http/express/express-page-tags.js';
import { ExpressSessionPlatform } from './http/express/express-session-platform.js';
import { FastifyEntrance, type FastifyServer } from './http/fastify/fastify-entrance.js';
import { FastifyPageTags, type PageTagServer } from './http/fastify/fastify-page-tags.js';
import { FastifySessionPlatform } from './http/fastify/fastify-session-platform.js';
import { ExpressSessionBlobs, SessionGate } from './http/gate/session-gate.js';
import { LiveConnections } from './http/live-connections.js';
import { MessageAdmission } from './http/message-admission.js';
import { PageTags } from './http/page-tags.js';
import { PingAnswer } from './http/ping-answer.js';
import { pingController } from './http/ping.controller.js';
import { RequestClassifier } from './http/request-classifier.js';
import { SessionEnforcer } from './http/session-enforcer.js';
import { SessionPlatform } from './http/session-platform.js';
import { SessionSecurityGuard } from './http/session-security.guard.js';
import { SessionSecurityInterceptor } from './http/session-security.interceptor.js';
import { SessionSecurityService } from './http/session-security.service.js';
import { SetupAdvisor } from './http/setup-advisor.js';
import { SignInPageCheck } from './http/sign-in-page-check.js';
import { SignIn } from './http/sign-in.js';
import {
  SessionSecurityOptions,
  SessionSecurityOptionsError,
  type SessionSecurityOptionsInput,
  validateOptions,
} from './options/index.js';
import {
  type ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  GIVEN_OPTIONS,
  ROUTES,
  type SessionSecurityRouteOptions,
} from './session-security.module-definition.js';

const engine: Provider[] = [
  SystemClock,
  {
    provide: Clock,
    inject: [SessionSecurityOptions, SystemClock],
    // A shared store's own time counts, so that the clocks of the machines need not agree.
    useFactory: ({ store }: SessionSecurityOptions, clock: Clock) =>
      store instanceof SharedActivityStore ? store.synchronize(new SteadyClock()) : clock,
  },
  {
    provide: SessionReferences,
    inject: [SessionSecurityOptions],
    useFactory: ({ secret }: SessionSecurityOptions) => new SessionReferences(secret),
  },
  {
    provide: WatchedSessions,
    inject: [Clock],
    useFactory: (clock: Clock) => new WatchedSessions(clock.now()),
  },
  {
    provide: StoreCalls,
    inject: [Clock, SessionSecurityOptions],
    useFactory: (clock: Clock, { storeTimeout }: SessionSecurityOptions) =>
      new StoreCalls(clock, storeTimeout * 1000),
  },
  {
    provide: ActivityStore,
    inject: [WatchedSessions, SessionReferences, Clock, StoreCalls, SessionSecurityOptions],
    useFactory: (
      watched: WatchedSessions,
      references: SessionReferences,
      clock: Clock,
      calls: StoreCalls,
      { flushInterval, store, secret }: SessionSecurityOptions,
    ) => {
      if (store instanceof SharedActivityStore) {
        store.connect({ references, secret: secret!, flushIntervalMs: wholeMs(flushInterval) });
        return store;
      }
      return new ExpressSessionActivityStore(watched, references, clock, calls, wholeMs(flushInterval));
    },
  },
  {
    provide: ExpressSessionBlobs,
    inject: [StoreCalls],
    useFactory: (calls: StoreCalls) => new ExpressSessionBlobs(calls),
  },
  {
    provide: ActivityTracker,
    inject: [
      ActivityStore,
      WatchedSessions,
      ExpressSessionBlobs,
      SessionReferences,
      Clock,
      SessionSecurityOptions,
    ],
    useFactory: (
      store: ActivityStore,
      watched: WatchedSessions,
      blobs: ExpressSessionBlobs,
      references: SessionReferences,
      clock: Clock,
      { flushInterval, grace }: SessionSecurityOptions,
    ) => new ActivityTracker(store, watched, blobs, references, clock, wholeMs(flushInterval), grace * 1000),
  },
  {
    provide: UserSessions,
    inject: [
      ActivityTracker,
      ActivityStore,
      WatchedSessions,
      SessionReferences,
      Clock,
      SessionSecurityOptions,
    ],
    useFactory: (...parts: ConstructorParameters<typeof UserSessions>) => new UserSessions(...parts),
  },
];

const http: Provider[] = [
  {
    provide: SessionGate,
    inject: [ActivityTracker, ActivityStore, ExpressSessionBlobs, StoreCalls, Clock],
    useFactory: (
      tracker: ActivityTracker,
      store: ActivityStore,
      blobs: ExpressSessionBlobs,
      calls: StoreCalls,
      clock: Clock,
    ) => {
      const attach = (sessionStore: SessionStore): void => {
        blobs.attach(sessionStore);
        if (store instanceof ExpressSessionActivityStore) store.attach(sessionStore);
        tracker.recover();
      };
      return new SessionGate(tracker, calls, attach, clock);
    },
  },
  ExpressSessionPlatform,
  FastifySessionPlatform,
  { provide: SessionPlatform, useClass: AdapterSessionPlatform },
  SignIn,
  SetupAdvisor,
  SessionEnforcer,
  RequestClassifier,
  ExpiredAnswer,
  EndNotice,
  DraftKeys,
  PingAnswer,
  ClientFiles,
  ClientTexts,
  ClientTag,
  SignInPageCheck,
  PageTags,
  ExpressEntrance,
  ExpressPageTags,
  FastifyEntrance,
  FastifyPageTags,
  LiveConnections,
  MessageAdmission,
  SessionSecurityService,
  { provide: APP_GUARD, useClass: SessionSecurityGuard },
  { provide: APP_INTERCEPTOR, useClass: SessionSecurityInterceptor },
];

/**
 * Signs inactive users out. Import it once, in the root module; `express-session` or `@fastify/session` must be registered in
 * `main.ts`.
 *
 * ```ts
 * @Module({ imports: [SessionSecurityModule.forRoot({ warnAfter: 540, expireAfter: 600 })] })
 * export class AppModule {}
 * ```
 *
 * @publicApi
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    // Replaced by what forRoot() and forRootAsync() add.
    { provide: GIVEN_OPTIONS, useFactory: refuseWithoutOptions },
    { provide: ROUTES, useFactory: refuseWithoutOptions },
    {
      provide: SessionSecurityOptions,
      inject: [GIVEN_OPTIONS, ROUTES],
      useFactory: (given: SessionSecurityOptionsInput, routes: Required<SessionSecurityRouteOptions>) => {
        const { options, warnings } = validateOptions(given, routes);
        requireSameRoutes(options, routes);
        for (const warning of warnings) new Logger('SessionSecurity').warn(warning);
        return options;
      },
    },
    ...engine,
    SessionSecurityEvents,
    SessionSecurityHealth,
    EventHandlerExplorer,
    AuditLog,
    ...http,
  ],
  exports: [SessionSecurityService, SessionSecurityEvents, SessionSecurityHealth],
})
export class SessionSecurityModule
  extends ConfigurableModuleClass
  implements NestModule, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  /**
   * @param options see {@link SessionSecurityOptions}; all have defaults.
   * @throws {SessionSecurityOptionsError} at boot, if the options cannot be used.
   */
  static override forRoot(options: SessionSecurityOptionsInput = {}): DynamicModule {
    return withRoutes(super.forRoot(options), options);
  }

  /** As {@link forRoot}, with `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(
    options: typeof ASYNC_OPTIONS_TYPE & SessionSecurityRouteOptions,
  ): DynamicModule {
    return withRoutes(super.forRootAsync(options), options);
  }

  #isOpen = false;

  constructor(
    private readonly tracker: ActivityTracker,
    private readonly gate: SessionGate,
    private readonly expressEntrance: ExpressEntrance,
    private readonly expressPageTags: ExpressPageTags,
    private readonly fastifyEntrance: FastifyEntrance,
    private readonly fastifyPageTags: FastifyPageTags,
    private readonly signInPageCheck: SignInPageCheck,
    private readonly adapterHost: HttpAdapterHost,
    private readonly options: SessionSecurityOptions,
  ) {
    super();
    // As early as can be: before the application registers plugins. Testing modules have no adapter yet.
    this.#openOnFastify();
    whenGiven(adapterHost, () => this.#openOnFastify());
  }

  /** After the application's own middleware, which puts the session on the request. */
  configure(): void {
    const { httpAdapter } = this.adapterHost;
    requireOnce(httpAdapter, this);
    if (isFastify(httpAdapter)) this.#openOnFastify();
    else this.#openOnExpress(httpAdapter);
  }

  #openOnExpress(httpAdapter: AbstractHttpAdapter): void {
    this.expressEntrance.open(httpAdapter);
    this.expressPageTags.open(httpAdapter);
    this.signInPageCheck.open(httpAdapter);
  }

  #openOnFastify(): void {
    const { httpAdapter } = this.adapterHost;
    if (this.#isOpen || !isFastify(httpAdapter)) return;
    this.#isOpen = true;
    const server = httpAdapter.getInstance<FastifyServer & PageTagServer>();
    this.fastifyEntrance.open(server);
    this.fastifyPageTags.open(server);
    this.signInPageCheck.open(httpAdapter);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.options.sessionStore) this.gate.guard(this.options.sessionStore);
    await this.tracker.open();
  }

  /** The application's connections are surely still there; requests that are under way may bring more. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.tracker.tick();
    await this.tracker.flush().catch(() => undefined);
  }

  /** When the last request has been answered. */
  async onApplicationShutdown(): Promise<void> {
    await this.tracker.close();
    this.gate.release();
    watchedAdapters.delete(this.adapterHost.httpAdapter);
  }
}

function refuseWithoutOptions(): never {
  throw new SessionSecurityOptionsError([
    'it has been imported without options: write SessionSecurityModule.forRoot() in the root module, and import it nowhere ' +
      'else; its providers are global',
  ]);
}

/** What may be added to an instant; never less than was asked for. */
function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

/** The first versions of Nest 11 do not tell when the host is given an adapter. */
function whenGiven(host: HttpAdapterHost, callback: () => void): void {
  const { init$, httpAdapter } = host as Partial<HttpAdapterHost>;
  if (init$) {
    init$.subscribe(callback);
    return;
  }
  let given = httpAdapter;
  Object.defineProperty(host, 'httpAdapter', {
    // Another of us, which is refused later, does the same.
    configurable: true,
    get: () => given,
    set(adapter: AbstractHttpAdapter) {
      given = adapter;
      callback();
    },
  });
}

/** The servers whose requests are watched, and by whom. */
const watchedAdapters = new WeakMap<object, SessionSecurityModule>();

/** Two of us would each keep clocks of their own for the same sessions, and tell everything twice. */
function requireOnce(adapter: object, module: SessionSecurityModule): void {
  if ((watchedAdapters.get(adapter) ?? module) !== module) {
    throw new SessionSecurityOptionsError([
      'it has been imported more than once: call forRoot() in the root module alone; its providers are global',
    ]);
  }
  watchedAdapters.set(adapter, module);
}

/** @param given as the application wrote it, which is checked at boot only. */
function withRoutes(definition: DynamicModule, given: SessionSecurityRouteOptions | null): DynamicModule {
  const defaults = new SessionSecurityOptions();
  const routes = {
    path: given?.path ?? defaults.path,
    ping: given?.ping ?? defaults.ping,
    openApi: given?.openApi ?? defaults.openApi,
  };
  const controllers: Type[] = routes.ping
    ? [pingController, clientScriptController].map((of) => of(routes.path, routes.openApi))
    : [];
  const providers: Provider[] = [...(definition.providers ?? []), { provide: ROUTES, useValue: routes }];
  return { ...definition, global: true, controllers, providers };
}

/** Routes are laid before an asynchronous factory answers, so it may not answer other ones. */
function requireSameRoutes(
  options: SessionSecurityOptions,
  routes: Required<SessionSecurityRouteOptions>,
): void {
  const problems = (['path', 'ping', 'openApi'] as const)
    .filter((name) => options[name] !== routes[name])
    .map(
      (name) =>
        `${name} must be given to forRootAsync itself, beside the factory: forRootAsync({ ${name}: ${JSON.stringify(options[name])}, ... })`,
    );
  if (problems.length > 0) throw new SessionSecurityOptionsError(problems);
}
