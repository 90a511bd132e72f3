import { Injectable, Logger } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { StoreFailure } from '../activity/store-calls.js';
import { SessionSecurityOptions, toleranceOf } from '../options/index.js';
import { beyondPreset, isExempt, type Limits, type PresetName } from '../policy/index.js';
import { SessionGate } from './gate/session-gate.js';
import { addressOf } from './route-address.js';
import type { RequestSession, SetupAdvice } from './session-platform.js';

/** Sessions with data of their own, none of them recognised as signed in, before it is said how to set that. */
const UNRECOGNISED_BEFORE_HINT = 20;

/**
 * The same, for data that look like somebody's; at two looks a request, in the third. A sign-in in steps may hold such
 * things before it is complete.
 */
const UNRECOGNISED_USER_BEFORE_HINT = 5;

/** Where applications keep who is signed in, beside the places that are looked at. */
const LIKE_A_USER = ['account', 'email', 'login', 'profile', 'uid', 'userName', 'username'];

/** Messages of failures that are told apart; some name what they are about, and there is no end of those. */
const MOST_FAILURES = 20;

/** Sees mistakes in how an application is put together, and says each once, with what to do about it. */
@Injectable()
export class SetupAdvisor {
  readonly #logger = new Logger('SessionSecurity');
  readonly #said = new Set<string>();
  readonly #failures = new Set<string>();
  #sessionSeen = false;
  #unrecognised = 0;
  #pinged = false;
  #pingedAsNobody = false;
  #withoutCookie = false;

  constructor(
    private readonly options: SessionSecurityOptions,
    private readonly applicationConfig: ApplicationConfig,
    private readonly gate: SessionGate,
    tracker: ActivityTracker,
  ) {
    tracker.signals.subscribe(({ kind }) => {
      if (kind === 'warn') this.#warned();
    });
  }

  /** A session is about to be watched. With `strict`, throws where it would have warned of the configuration. */
  watching(session: RequestSession, userId: string | undefined): void {
    this.#sessionSeen = true;
    this.#unrecognised = -Infinity;
    if (userId === undefined) this.#watchingUnidentified();
    this.#watchingStore();
    this.#watchingCookie(session);
  }

  /** Records that processes share are of no use where each of them keeps the sessions to itself. */
  #watchingStore(): void {
    const { store, strict } = this.options;
    if (!store || !isInMemory(this.gate.store)) return;
    this.#warn(
      'sessions-in-memory',
      'Records are shared by the option store, but the sessions themselves are kept in the memory of this process: other ' +
        'processes do not know them, and a restart signs everybody out. Give session({ store }) a store that all processes ' +
        'reach, such as that of connect-redis.',
      strict,
    );
  }

  #watchingUnidentified(): void {
    const { identify, client } = this.options;
    const lock = client.onExpire === 'lock' ? ", client.onExpire: 'lock'" : '';
    this.#warn(
      'unidentified',
      `Somebody is signed in ${identify ? 'for whom identify answers no id' : 'whose id is not known'}: maxSessionsPerUser, ` +
        `endAll, endOthers, list of a user, drafts${lock} and userId in events do nothing for them. ` +
        'Tell the id: SessionSecurityModule.forRoot({ identify: (request) => ... }).',
    );
  }

  #watchingCookie(session: RequestSession): void {
    const { allowPersistentCookie, expireAfter, strict } = this.options;
    if (session.cookieMaxAge === null) return this.#watchingWithoutAge(session.storeMaxAge);
    if (session.cookieMaxAge < expireAfter * 1000) {
      this.#warn(
        'cookie-short',
        `The session cookie lives ${session.cookieMaxAge / 1000} s, less than expireAfter (${expireAfter} s): users are signed ` +
          'out earlier than configured, without a warning. Leave out cookie.maxAge, or make it longer.',
        strict,
      );
    } else if (!allowPersistentCookie) {
      this.#warn(
        'cookie-persistent',
        `The session cookie is persistent (maxAge ${session.cookieMaxAge / 1000} s): it outlives the browser. Expiry does not ` +
          'depend on it. Leave out cookie.maxAge and cookie.expires, or set allowPersistentCookie: true if it is meant.',
        strict,
      );
    }
  }

  /** Without an age of its own a session is kept as long as its store keeps one. */
  #watchingWithoutAge(storeMaxAge: number | null): void {
    const { expireAfter, strict } = this.options;
    if (storeMaxAge === null || storeMaxAge >= expireAfter * 1000) return;
    this.#warn(
      'store-short',
      `The session store keeps a session for ${storeMaxAge / 1000} s (its ttl), less than expireAfter (${expireAfter} s): users are ` +
        'signed out earlier than configured, without a warning. Make the ttl longer.',
      strict,
    );
  }

  /** A request came with a session in which nobody was recognised as signed in. */
  notSignedIn(session: RequestSession): void {
    this.#sessionSeen = true;
    if (Object.keys(session.data).length <= 1) return;
    const likeUser = LIKE_A_USER.find((name) => session.data[name]);
    const patience = likeUser === undefined ? UNRECOGNISED_BEFORE_HINT : UNRECOGNISED_USER_BEFORE_HINT;
    if (++this.#unrecognised < patience) return;
    this.#warn(
      'never-signed-in',
      'Requests carry sessions, but none was ever recognised as signed in, so none is watched. Tell how to see it: ' +
        `SessionSecurityModule.forRoot({ isAuthenticated: (request) => ${likeUser === undefined ? '...' : `request.session.${likeUser} !== undefined`} }).`,
    );
  }

  /** A request reached the guard without a session. */
  missing(advice: SetupAdvice): void {
    if (this.#sessionSeen) {
      this.#error(
        'store-away',
        'The session store has disconnected: requests have no session, so nobody is signed in.',
      );
      return;
    }
    this.#error('missing', advice.missing);
  }

  /** A socket was to be closed with its session, and nothing has read its session. */
  unreadSocket(): void {
    this.#error(
      'unread-socket',
      'A socket was closed at once, because nothing has read the session of the request that opened it: middleware does not see ' +
        'requests that are upgraded. Give closeWithSession(socket, request, readSession) the session middleware as readSession.',
    );
  }

  /** A request's session lives in its cookie. */
  irrevocable({ irrevocable }: SetupAdvice): string {
    this.#error('irrevocable', irrevocable);
    return irrevocable;
  }

  /** It could not be told whose session a request carries. */
  undecided(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (!this.#failures.has(message) && this.#failures.size === MOST_FAILURES) return;
    this.#failures.add(message);
    const isRefused = error instanceof StoreFailure && this.options.onStoreFailure === 'unavailable';
    const answer = isRefused ? 'answered 503' : 'answered as for nobody';
    this.#error(`undecided ${message}`, `Requests are ${answer}, no session is ended: ${message}`);
  }

  /** Somebody asked for the sign-in page, and there is none. @param likely where a route of that path would be */
  withoutSignInPage(loginUrl: string, likely: string): void {
    this.#warn(
      'no-sign-in-page',
      `Somebody came to ${loginUrl} to sign in, and was answered 404. Set the option loginUrl to the address of the sign-in ` +
        'page, as browsers ask for it' +
        (likely === loginUrl ? '.' : `; with what this application's routes begin with it is ${likely}.`),
    );
  }

  /** A function of the application has answered limits. What they go beyond of a preset, nobody could see before. */
  limitsByRequest(preset: PresetName, asked: Limits, inForce: Limits): void {
    const tolerance = toleranceOf(this.options);
    const beyond = [
      ...beyondPreset(preset, asked, tolerance).filter(({ level }) => level === 'shall'),
      ...beyondPreset(preset, inForce, tolerance),
    ];
    for (const { option, level, problem } of beyond) {
      const answer = isExempt(asked) ? "'never'" : JSON.stringify(asked);
      const consequence = level === 'shall' ? 'It is shortened' : 'It is a recommendation';
      this.#warn(
        `limits ${level} ${option}`,
        `The limits function answered ${answer}. ${problem}. ${consequence}; in force is ` +
          `${isExempt(inForce) ? "'never'" : JSON.stringify(inForce)}. This is said once, and may hold for other users too.`,
      );
    }
  }

  /** The client script is at work, on a page of a session that is watched. */
  pinged(): void {
    this.#pinged = true;
  }

  /** The client script is at work where nobody is signed in: on the sign-in page, or before the sign-in. */
  pingedAsNobody(): void {
    this.#pingedAsNobody = true;
  }

  /** Somebody's page looks after forms. While an application is developed, it is restarted all the time anyway. */
  grantingDrafts(): void {
    if (this.options.secret !== undefined || process.env['NODE_ENV'] !== 'production') return;
    this.#warn(
      'drafts-without-secret',
      'Pages look after forms, and the option secret is not set: the keys of drafts are random then, so that drafts do not ' +
        'survive a restart of this process, and forms that were filled in before it are held back as if somebody else had ' +
        'signed in. Set secret to a random text of at least 32 characters that stays the same.',
    );
  }

  /** A sign-in was answered without the session's cookie, which wants HTTPS. */
  withoutCookie(): void {
    this.#withoutCookie = true;
    this.#warn(
      'without-cookie',
      'A sign-in was answered without a session cookie: the cookie is Secure, and the request came over plain HTTP, so the ' +
        'browser stays signed out. On your own machine set cookie: { secure: false }; behind a proxy that ends HTTPS ' +
        'set trust proxy (trustProxy on Fastify).',
    );
  }

  /** A session went idle until its warning. If no client ever pinged, nobody saw it. */
  #warned(): void {
    // Whoever has no cookie cannot ping as somebody.
    if (this.#pinged || this.#withoutCookie || !this.options.ping) return;
    const address = addressOf(this.applicationConfig, `${this.options.path}/client.js`);
    this.#warn(
      'never-pinged',
      'A warning was due, but no page has ever pinged for somebody signed in: ' +
        (this.#pingedAsNobody
          ? 'pages have pinged as nobody. Pages that are reached by the sign-in need the client script too, and a ' +
            'single-page application calls start() after the sign-in. If both is so, browsers may not bring the session ' +
            'cookie back: one that is Secure is of no use over plain HTTP (cookie: { secure: false } on your own machine, ' +
            'trust proxy behind one that ends HTTPS).'
          : `is the client script on the pages? Add <script src="${address}" defer></script>; if it is there, look in the ` +
            "browser's console whether a content security policy blocks it. Or set ping: false if there is no browser."),
    );
  }

  #warn(key: string, message: string, strict = false): void {
    if (strict) throw new Error(message);
    if (!this.#first(key)) return;
    this.#logger.warn(message);
  }

  #error(key: string, message: string): void {
    if (this.#first(key)) this.#logger.error(message);
  }

  #first(key: string): boolean {
    return !this.#said.has(key) && this.#said.add(key).size > 0;
  }
}

/** What express-session and `@fastify/session` keep sessions in, if they are given no store. */
function isInMemory(store: object | undefined): boolean {
  const { name } = store?.constructor ?? {};
  return name === 'MemoryStore' || (name === 'Store' && (store as { store?: unknown }).store instanceof Map);
}
