import type { EventEmitter } from 'node:events';
import { ApplicationConfig, DiscoveryService, ModulesContainer, Reflector } from '@nestjs/core';
import session from 'express-session';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import type { Clock } from '../../../lib/activity/clock.js';
import { SessionReferences } from '../../../lib/activity/session-reference.js';
import type { SharedActivityStore } from '../../../lib/activity/shared-activity-store.js';
import { StoreCalls } from '../../../lib/activity/store-calls.js';
import {
  ExpressSessionActivityStore,
  type SessionStore,
} from '../../../lib/activity/stores/express-session-activity-store.js';
import { UserSessions } from '../../../lib/activity/user-sessions.js';
import { WatchedSessions } from '../../../lib/activity/watched-sessions.js';
import type { AnySessionEvent } from '../../../lib/events/session-event.js';
import { SessionSecurityEvents } from '../../../lib/events/session-security-events.js';
import type { ClientFiles } from '../../../lib/http/client-files.js';
import { ClientTexts } from '../../../lib/http/client-texts.js';
import { DraftKeys } from '../../../lib/http/draft-keys.js';
import { EndNotice } from '../../../lib/http/end-notice.js';
import { ExpiredAnswer } from '../../../lib/http/expired-answer.js';
import { ExpressEntrance } from '../../../lib/http/express/express-entrance.js';
import { ExpressSessionPlatform } from '../../../lib/http/express/express-session-platform.js';
import { ExpressSessionBlobs, SessionGate } from '../../../lib/http/gate/session-gate.js';
import { LiveConnections } from '../../../lib/http/live-connections.js';
import { MessageAdmission } from '../../../lib/http/message-admission.js';
import { PingAnswer, type SessionStatus } from '../../../lib/http/ping-answer.js';
import { pingController } from '../../../lib/http/ping.controller.js';
import { RequestClassifier } from '../../../lib/http/request-classifier.js';
import { SessionEnforcer } from '../../../lib/http/session-enforcer.js';
import { SessionSecurityGuard } from '../../../lib/http/session-security.guard.js';
import { SessionSecurityInterceptor } from '../../../lib/http/session-security.interceptor.js';
import { SetupAdvisor } from '../../../lib/http/setup-advisor.js';
import { SignIn } from '../../../lib/http/sign-in.js';
import type { SessionSecurityOptions } from '../../../lib/options/session-security.options.js';
import { validateOptions } from '../../../lib/options/validate-options.js';
import type { Limits, SessionSecurityRequest } from '../../../lib/index.js';
import { MachineClock } from './machine-clock.js';
import type { Scheduler } from './scheduler.js';
import { type Caller, SimulatedSessionStore } from './session-store.js';
import type { SessionStorage } from './session-storage.js';
import type { Settings } from './settings.js';

/** No browser of this world loads the client script. */
const NO_FILES = { ofType: () => [] } as unknown as ClientFiles;

/** Whose code runs: a server process, or a page. */
export interface Inhabitant {
  readonly title: string;
  /** What has died runs nothing any more. */
  readonly alive: boolean;
}

/** What a process has in common with others. */
export interface Shared {
  readonly store: SharedActivityStore;
  readonly secret: string;
  /** Seconds for which memory is believed while the store is away. */
  readonly grace: number;
  /** Milliseconds of the process's own steady clock. */
  steady(): number;
  /** Registers the application's handlers, before the process begins to look. */
  handle(events: SessionSecurityEvents): void;
}

/** What surrounds a process and outlives it. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly storage: SessionStorage;
  readonly settings: Settings;
  /** Epoch milliseconds that the machine's wall clock shows. */
  wall(): number;
  newSessionId(): string;
  limitsFor(process: ServerProcess, request: SessionSecurityRequest): Limits | 'never' | undefined;
  told(process: ServerProcess, event: AnySessionEvent): void;
  /** Where there are several processes, what this one is to share with the others. */
  share?(process: ServerProcess): Shared;
  /** Runs what belongs to somebody; the only way in. */
  enter(inhabitant: Inhabitant, run: () => void): void;
}

/** The ping controller's methods, as Nest would call them. */
export interface Pings {
  read(request: unknown, response: unknown, start?: string): Promise<SessionStatus>;
  ping(request: unknown, response: unknown, start?: string): Promise<SessionStatus>;
  end(request: unknown, response: unknown, start?: string): Promise<SessionStatus>;
}

/**
 * One life of the server: the module's real classes, put together as the module file does, behind the real middleware
 * of express-session. Everything in here is lost in a crash; only the session storage stays.
 */
export class ServerProcess implements Caller, Inhabitant {
  readonly clock: Clock;
  readonly references: SessionReferences;
  readonly tracker: ActivityTracker;
  readonly users: UserSessions;
  readonly store: session.Store & EventEmitter;
  readonly session: ReturnType<typeof session>;
  readonly middleware: ExpressEntrance;
  readonly guard: SessionSecurityGuard;
  readonly interceptor: SessionSecurityInterceptor;
  readonly pings: Pings;
  /** When it is ready for requests. */
  readonly opened: Promise<void>;
  readonly #gate: SessionGate;
  readonly #answer: PingAnswer;
  #alive = true;

  constructor(
    readonly number: number,
    private readonly surroundings: Surroundings,
  ) {
    const { scheduler, settings, storage } = surroundings;
    const beganAt = scheduler.now;
    const shared = surroundings.share?.(this);
    this.references = new SessionReferences(shared?.secret);
    const machineClock = new MachineClock({
      monotonic: () => shared?.steady() ?? scheduler.now - beganAt,
      wall: () => shared?.steady() ?? surroundings.wall(),
      every: (milliseconds, callback) => this.#every(milliseconds, callback),
    });
    this.clock = shared?.store.synchronize(machineClock) ?? machineClock;
    this.store = new SimulatedSessionStore(storage, this, settings.store);
    this.session = session({
      secret: 'simulation',
      store: this.store,
      genid: () => surroundings.newSessionId(),
      resave: settings.resave,
      rolling: settings.rolling,
      saveUninitialized: false,
    });

    const options = this.#options(settings, shared);
    const flushIntervalMs = options.flushInterval * 1000;
    const { clock, references } = this;
    const watched = new WatchedSessions(clock.now());
    const calls = new StoreCalls(clock, options.storeTimeout * 1000);
    shared?.store.connect({ references, secret: shared.secret, flushIntervalMs });
    const records =
      shared?.store ?? new ExpressSessionActivityStore(watched, references, clock, calls, flushIntervalMs);
    const blobs = new ExpressSessionBlobs(calls);
    const graceMs = options.grace * 1000;
    this.tracker = new ActivityTracker(records, watched, blobs, references, clock, flushIntervalMs, graceMs);
    this.users = new UserSessions(this.tracker, records, watched, references, clock, options);
    const attach = (original: SessionStore): void => {
      blobs.attach(original);
      if (records instanceof ExpressSessionActivityStore) records.attach(original);
      this.tracker.recover();
    };
    this.#gate = new SessionGate(this.tracker, calls, attach, clock);
    const platform = new ExpressSessionPlatform(this.#gate);
    const applicationConfig = new ApplicationConfig();
    const advisor = new SetupAdvisor(options, applicationConfig, this.#gate, this.tracker);
    const signIn = new SignIn(options, advisor);
    const enforcer = new SessionEnforcer(this.tracker, this.users, platform, signIn, options, advisor, clock);
    const notice = new EndNotice(enforcer, platform);
    const expiredAnswer = new ExpiredAnswer(options, platform, this.tracker);
    const reflector = new Reflector();
    const classifier = new RequestClassifier(reflector, applicationConfig, options);
    // Of gateways, of which there are none.
    const discovery = new DiscoveryService(new ModulesContainer());
    this.middleware = new ExpressEntrance(enforcer, platform, options);
    this.guard = new SessionSecurityGuard(
      enforcer,
      this.tracker,
      classifier,
      reflector,
      expiredAnswer,
      notice,
      platform,
      advisor,
      new MessageAdmission(new LiveConnections(), enforcer, this.tracker, classifier, reflector, discovery),
      options,
    );
    this.interceptor = new SessionSecurityInterceptor(enforcer, platform);
    const texts = new ClientTexts(NO_FILES, options);
    const draftKeys = new DraftKeys(options, this.tracker, references, clock);
    const answer = (this.#answer = new PingAnswer(
      enforcer,
      this.tracker,
      references,
      texts,
      draftKeys,
      clock,
      options,
    ));
    this.pings = Reflect.construct(pingController(options.path), [
      enforcer,
      this.tracker,
      answer,
      notice,
      expiredAnswer,
      advisor,
      platform,
    ]) as Pings;
    const events = new SessionSecurityEvents(this.tracker, references, records);
    events.all$.subscribe((event) => surroundings.told(this, event));
    shared?.handle(events);
    if (options.sessionStore) this.#gate.guard(options.sessionStore);
    this.opened = this.tracker.open();
  }

  get title(): string {
    return `p${this.number}`;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The owner of a page that is made for this session. */
  ownerOf(sessionId: string): string | undefined {
    return this.#answer.ownerOf(sessionId) ?? undefined;
  }

  outside(delay: number, label: string, run: () => void): void {
    this.surroundings.scheduler.after(delay, `p${this.number} ${label}`, run);
  }

  inside(delay: number, label: string, run: () => void): void {
    const enter = (): void => this.surroundings.enter(this, run);
    this.surroundings.scheduler.after(delay, `p${this.number} ${label}`, enter, () => this.#alive);
  }

  /** Lets code of the process wait. */
  wait(delay: number, label: string): Promise<void> {
    return new Promise((resolve) => this.inside(delay, label, resolve));
  }

  /** As the module does before the server stops to listen… */
  async beforeShutdown(): Promise<void> {
    await this.tracker.tick();
    await this.tracker.flush();
  }

  /** …and after the last request has been answered. */
  async shutdown(): Promise<void> {
    try {
      await this.tracker.close();
    } finally {
      this.#gate.release();
    }
  }

  /** From now on nothing of it runs any more. */
  die(): void {
    this.#alive = false;
  }

  #every(milliseconds: number, callback: () => unknown): () => void {
    let running = true;
    const repeat = (): void =>
      this.inside(milliseconds, 'timer', () => {
        if (!running) return;
        repeat();
        callback();
      });
    repeat();
    return () => (running = false);
  }

  #options(settings: Settings, shared: Shared | undefined): SessionSecurityOptions {
    const { limits, flushInterval, onExpired, onStoreFailure, storeTimeout } = settings;
    const { options } = validateOptions({
      ...limits,
      flushInterval,
      onExpired,
      onStoreFailure,
      storeTimeout,
      ...(shared ? { store: shared.store, secret: shared.secret, grace: shared.grace } : {}),
      ...(settings.knowsStore ? { sessionStore: this.store } : {}),
      ...(settings.limitsByFunction
        ? { limits: (request: SessionSecurityRequest) => this.surroundings.limitsFor(this, request) }
        : {}),
    });
    return options;
  }
}
