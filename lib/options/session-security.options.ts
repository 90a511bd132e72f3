import { IsBoolean, IsIn, IsObject, IsString, MinLength, ValidateBy, ValidateIf } from 'class-validator';
import { match } from 'path-to-regexp';
import { type Limits, PRESETS, type PresetName, shownAsNoNumber, shownValue } from '../policy/index.js';
import { suggestion } from './suggestion.js';

/** What the module reads of a request; Express's and Fastify's requests both fit. */
export interface SessionSecurityRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  session?: unknown;
  user?: unknown;
  isAuthenticated?: () => boolean;
}

/**
 * A function of the request. It may be written for the platform's own request, such as Express's `Request`: methods are
 * compared more loosely than functions.
 */
export type RequestFunction<Answer> = { of(request: SessionSecurityRequest): Answer }['of'];

/** One entry of the `passive` option. */
export type PassiveRule = string | RegExp | RequestFunction<boolean>;

/** What the module uses of an express-session store; every store for express-session has it. */
export interface ApplicationSessionStore {
  get(sessionId: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  destroy(sessionId: string, callback?: (error?: unknown) => void): unknown;
  touch?(sessionId: string, session: unknown, callback?: (error?: unknown) => void): unknown;
  all?(callback: (error: unknown, sessions?: unknown) => void): unknown;
}

/** A store of activity records that several processes share, such as `RedisActivityStore`. */
export interface SharedStore {
  readonly pollIntervalMs: number;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Start values of the browser side; see `docs/wire.md`. */
export interface ClientOptions {
  /** At expiry: leave the page (`navigate`, the default), keep it covered (`lock`) or only raise an event (`event`). */
  onExpire?: 'navigate' | 'lock' | 'event';
  /** What calls a warning off: any `activity` (the default) or only the dialog's `button`. */
  dismiss?: 'activity' | 'button';
  /** What Escape means in the dialog; `stay` by default. */
  escape?: 'stay' | 'sign-out' | 'ignore';
  /** `false`: no dialog, only events. */
  dialog?: boolean;
  /** Names of the events that count as activity, instead of the built-in list. */
  events?: string[];
  /** Texts by key, instead of the built-in ones; those of one language below its BCP 47 tag. */
  texts?: Record<string, string | Record<string, string>>;
  /** BCP 47 tag of the dialog's language, instead of the page's `lang` attribute and the browser's languages. */
  language?: string;
}

/** What the script tag of a page says. */
export interface ClientTagOptions {
  /** For a content security policy with nonces. */
  readonly nonce?: string;
  /** Ask before the page is left with unsaved work in any form that is sent by POST; default: forms that ask for it. */
  readonly guard?: boolean;
  /** Keep drafts of all fields; `automatic`: and put them back without asking. Default: forms that ask for it. */
  readonly drafts?: boolean | 'automatic';
}

/** What the tag of a page says, or `false` for a page without one; as loosely compared as {@link RequestFunction}. */
export type PageFunction = {
  of(request: SessionSecurityRequest, response: object): ClientTagOptions | false;
}['of'];

/** The client's texts, by key: of the dialog, of a locked page, of drafts. */
const TEXT_KEYS = [
  ...['lang', 'dir', 'title', 'idle', 'lifetime', 'time', 'stay', 'signOut', 'close', 'failed'],
  ...['lockedTitle', 'lockedText', 'signIn'],
  ...['draftFound', 'draftRestore', 'draftDiscard', 'draftRestored', 'draftClose', 'draftSignedOut'],
  'draftUnreachable',
];

/** What each option of the client must be, in words and as a test. */
const CLIENT_VALUES: Record<keyof ClientOptions, [wanted: string, accepts: (value: unknown) => boolean]> = {
  onExpire: oneOf('navigate', 'lock', 'event'),
  dismiss: oneOf('activity', 'button'),
  escape: oneOf('stay', 'sign-out', 'ignore'),
  dialog: ['true or false', (value) => typeof value === 'boolean'],
  events: [
    'a list of names of events',
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((name) => typeof name === 'string' && name !== ''),
  ],
  texts: [
    'texts by key, or by language tag and key',
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(
        ([name, text]) =>
          (typeof text === 'string' && (name !== 'lang' || isLanguage(text))) ||
          (isLanguage(name) &&
            isRecord(text) &&
            Object.values(text).every((part) => typeof part === 'string')),
      ),
  ],
  language: ['a language tag such as "de" or "pt-BR"', isLanguage],
};

function oneOf(...values: string[]): [string, (value: unknown) => boolean] {
  const names = values.map((value) => `"${value}"`);
  const wanted = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return [wanted, (value) => values.includes(value as string)];
}

function isPathPattern(text: string): boolean {
  try {
    return text.startsWith('/') && match(text) !== undefined;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLanguage(value: unknown): boolean {
  try {
    return typeof value === 'string' && Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

function check(
  name: string,
  accepts: (value: unknown) => boolean,
  wanted: string,
  shown = shownValue,
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value) => accepts(value),
      defaultMessage: (parameters) =>
        `${parameters?.property} must be ${wanted}, but is ${shown(parameters?.value)}`,
    },
  });
}

/** An option that need not be given. `null` is no way to leave it out: a limit or a secret would be missing unseen. */
const IsOptional = () => ValidateIf((_, value) => value !== undefined);
const IsSeconds = () =>
  check(
    'isSeconds',
    (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
    'a positive number of seconds',
    shownAsNoNumber,
  );
const IsFunction = () => check('isFunction', (value) => typeof value === 'function', 'a function');
const IsAddress = () =>
  check(
    'isAddress',
    (value) => value === null || (typeof value === 'string' && /^\/(?![/\\])\S*$/.test(value)),
    'a path on this site that begins with one "/" (the user is never sent to another origin)',
  );
const IsRoutePath = () =>
  check(
    'isRoutePath',
    (value) => typeof value === 'string' && /^[\w.~-]+(\/[\w.~-]+)*$/.test(value),
    'a relative route path such as "session-security", without "/" at its ends',
  );

const IsSharedStore = () =>
  ValidateBy({
    name: 'isSharedStore',
    validator: {
      validate: (value) => typeof (value as { synchronize?: unknown } | null)?.synchronize === 'function',
      // A text is an address of Redis, most likely, and may carry a password.
      defaultMessage: (parameters) =>
        'store must be a store that several processes share, such as new RedisActivityStore({ client }), ' +
        `but is ${typeof parameters?.value === 'string' ? 'a string' : shownValue(parameters?.value)}`,
    },
  });

const IsSessionStore = () =>
  ValidateBy({
    name: 'isSessionStore',
    validator: {
      validate: (value) =>
        typeof value === 'object' &&
        value !== null &&
        ['get', 'set', 'destroy'].every((name) => typeof (value as never)[name] === 'function'),
      defaultMessage: () =>
        'sessionStore must be a store of express-session, an object with get, set and destroy: the instance ' +
        'that is also given to session({ store })',
    },
  });

/**
 * The options of `SessionSecurityModule.forRoot()`, with their defaults. All durations are **seconds**.
 *
 * @publicApi
 */
export class SessionSecurityOptions {
  /** Idle seconds after which the user is warned. Default 540. */
  @IsSeconds()
  warnAfter: number = 540;

  /** Idle seconds after which the session ends. Default 600. */
  @IsSeconds()
  expireAfter: number = 600;

  /** Seconds from the sign-in after which the session ends whatever the user does; `null` (default) = no such limit. */
  @ValidateIf((options: SessionSecurityOptions) => options.maxLifetime !== null)
  @IsSeconds()
  maxLifetime: number | null = null;

  /**
   * Limits after a standard: `nist-aal1`, `nist-aal2`, `nist-aal3`, `pci-dss`, `hipaa`, `owasp-high` or `owasp-low`. It
   * sets the limits that are not given, refuses those beyond what it requires, and warns of those beyond what it
   * recommends. It also switches `audit` on.
   */
  @IsOptional()
  @IsIn(Object.keys(PRESETS), {
    message: ({ value }) =>
      `preset must be one of ${Object.keys(PRESETS).join(', ')}, but is ${shownValue(value)}`,
  })
  preset?: PresetName;

  /**
   * Limits of this request's user; `undefined` = the application's, `'never'` = this user is never signed out.
   * Asked on every request, so it must be fast; a shortening takes effect at once. What a `preset` requires holds for
   * these too: they are shortened to it, `'never'` included.
   */
  @IsOptional()
  @IsFunction()
  limits?: RequestFunction<Limits | 'never' | undefined | Promise<Limits | 'never' | undefined>>;

  /**
   * Is somebody signed in? By default Passport's `request.isAuthenticated()`, `request.user`, and `user`, `userId` or
   * `passport.user` in the session. Asked on every request and every ping.
   */
  @IsOptional()
  @IsFunction()
  isAuthenticated?: RequestFunction<boolean | Promise<boolean>>;

  /** Who is signed in? A stable id that events carry. By default the `id`, `userId` or `username` of the signed-in user. */
  @IsOptional()
  @IsFunction()
  identify?: RequestFunction<string | undefined | Promise<string | undefined>>;

  /** Requests that are not activity: path patterns (`/api/:list/poll`), regular expressions on the path, or predicates. */
  @check(
    'isPassive',
    (value) =>
      Array.isArray(value) &&
      value.every(
        (rule) =>
          (typeof rule === 'string' && isPathPattern(rule)) ||
          rule instanceof RegExp ||
          typeof rule === 'function',
      ),
    'a list of path patterns that begin with "/" and are written as those of routes ("/api/:list/poll", "/api/*rest"), ' +
      'regular expressions or functions',
  )
  passive: PassiveRule[] = [];

  /** Where ping and client script are served, behind the global prefix. Default `session-security`. */
  @IsRoutePath()
  path: string = 'session-security';

  /** `false` switches the ping and the client script off; requests alone then count. Default `true`. */
  @IsBoolean()
  ping: boolean = true;

  /** `true`: ping and client script stand in the OpenAPI document that `@nestjs/swagger` makes. Default `false`. */
  @IsBoolean()
  openApi: boolean = false;

  /**
   * What a request gets whose session has ended: it goes on as `anonymous` (default), it is answered 401 (`reject`), or
   * page navigations are sent to `loginUrl` and all else is answered 401 (`redirect`). The handler never runs as the
   * old user. Routes marked `@AllowExpired()` always go on.
   */
  @IsIn(['anonymous', 'reject', 'redirect'], {
    message: ({ value }) =>
      `onExpired must be "anonymous", "reject" or "redirect", but is ${shownValue(value)}`,
  })
  onExpired: 'anonymous' | 'reject' | 'redirect' = 'anonymous';

  /**
   * What a request gets whose session cannot be looked up because the store fails: it goes on as nobody (`anonymous`, the
   * default), or it is answered 503 with `Retry-After` (`unavailable`). Nobody is signed in or ended on a guess either way.
   * Routes marked `@AllowExpired()` always go on.
   */
  @IsIn(['anonymous', 'unavailable'], {
    message: ({ value }) =>
      `onStoreFailure must be "anonymous" or "unavailable", but is ${shownValue(value)}`,
  })
  onStoreFailure: 'anonymous' | 'unavailable' = 'anonymous';

  /** How long the session store may take for an answer, in seconds, before it is treated as failing. Default 5. */
  @IsSeconds()
  storeTimeout: number = 5;

  /**
   * The store that is also given to `session({ store })`. With it sessions are watched over from the start, and if the
   * store can list what it holds (`all()`), those whose browsers never come back are ended and told of on time after a
   * restart too. Without it the store becomes known by the first request.
   */
  @IsOptional()
  @IsSessionStore()
  sessionStore?: ApplicationSessionStore;

  /**
   * The page to sign in on, same origin, as browsers ask for it: with the global prefix, if it has one. `null` (default):
   * pages are loaded again instead.
   */
  @IsAddress()
  loginUrl: string | null = null;

  /** The page to see after *Sign out now*, same origin. `null` (default): `loginUrl`, or the same page again. */
  @IsAddress()
  logoutUrl: string | null = null;

  /** The query parameter that carries the way back to the sign-in page. Default `returnTo`. */
  @check(
    'isParameter',
    (value) => typeof value === 'string' && /^[\w.-]+$/.test(value),
    'the name of a query parameter',
  )
  returnParameter: string = 'returnTo';

  /**
   * Name of the session cookie; otherwise every signed cookie is looked at. 401 answers clear the cookie that carries the
   * id of an ended session. The look-up only decides what is said of an ended session, never who somebody is.
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  cookieName?: string;

  /** Do not report a session cookie that outlives the browser. Default `false`. */
  @IsBoolean()
  allowPersistentCookie: boolean = false;

  /** Accept an `expireAfter` of more than twelve hours that looks like milliseconds. Default `false`. */
  @IsBoolean()
  allowLongLimits: boolean = false;

  /** Warnings about the configuration become errors. Default `false`. */
  @IsBoolean()
  strict: boolean = false;

  /**
   * Key of the hashes in records, events, logs and owner markers; the same on every process. At least 32 characters.
   * Without it a fixed key serves the hashes (session ids are long random strings, so they cannot be found from them),
   * and the keys of drafts are random: drafts then survive neither a restart nor a change of process.
   */
  @IsOptional()
  @IsString()
  @MinLength(32, { message: 'secret must have at least 32 characters' })
  secret?: string;

  /**
   * How often last activity is written to the store, in seconds. Default 12; with `store` 1, and at most 1. Memory is
   * always exact.
   */
  @IsSeconds()
  flushInterval: number = 12;

  /**
   * Where activity records live when the application runs in several processes: `new RedisActivityStore({ client })` of
   * `nestjs-session-security/redis`. It requires `secret`. Ends come up to `flushInterval` and a second late then, never
   * early. Default: beside the sessions in the application's own session store, for one process.
   */
  @IsOptional()
  @IsSharedStore()
  store?: SharedStore;

  /**
   * With `store`: how many seconds sessions that memory knows to be alive are served while the store fails. After that,
   * and for all other sessions at once, requests get what `onStoreFailure` says, which is `unavailable` by default then.
   * 0 = nobody is served. Default 30.
   */
  @check(
    'isGrace',
    (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
    'a number of seconds, 0 or more',
    shownAsNoNumber,
  )
  grace: number = 30;

  /** How many sessions a user may have at once; `null` (default) = any number. ASVS 5.0 7.1.2. */
  @ValidateIf((options: SessionSecurityOptions) => options.maxSessionsPerUser !== null)
  @check(
    'isCount',
    (value) => Number.isInteger(value) && (value as number) > 0,
    'a whole number of sessions, 1 or more',
    shownAsNoNumber,
  )
  maxSessionsPerUser: number | null = null;

  /** One session too many: the oldest is ended (`end-oldest`, the default), or the sign-in is refused with 403 (`refuse`). */
  @IsIn(['end-oldest', 'refuse'], {
    message: ({ value }) => `onTooManySessions must be "end-oldest" or "refuse", but is ${shownValue(value)}`,
  })
  onTooManySessions: 'end-oldest' | 'refuse' = 'end-oldest';

  /** Audit log lines in the words of the OWASP Logging Vocabulary. Default: only with a `preset`. */
  @IsOptional()
  @IsBoolean()
  audit?: boolean;

  /**
   * What browsers are told to clear when a session has ended, by `Clear-Site-Data` on HTTPS: any of `cache`, `cookies`,
   * `storage`. Default: nothing. `cookies` clears those of the whole registered domain.
   */
  @check(
    'isClearable',
    (value) =>
      Array.isArray(value) && value.every((name) => ['cache', 'cookies', 'storage'].includes(name as string)),
    'a list of "cache", "cookies", "storage"',
  )
  clearSiteData: ('cache' | 'cookies' | 'storage')[] = [];

  /**
   * Put the client's tag into the head of every page that a handler answers or a template makes: `true`, or a function of
   * request and response that answers what the tag says, or `false` for no tag in this page. Files and streams stay as
   * they are. Default `false`.
   */
  @check(
    'isPageFunction',
    (value) => typeof value === 'boolean' || typeof value === 'function',
    'true, false or a function of request and response',
  )
  injectTag: boolean | PageFunction = false;

  /**
   * The name of a helper for templates that writes the client's tag: in `response.locals` on Express, in `reply.locals` of
   * `@fastify/view`. `null` (default): none.
   */
  @check(
    'isHelperName',
    (value) => value === null || (typeof value === 'string' && /^[a-z_$][\w$]*$/i.test(value)),
    'a name that templates can call, such as "clientTag"',
  )
  tagHelper: string | null = null;

  /** Start values of the browser side. */
  @IsObject({ message: 'client must be an object' })
  @ValidateBy({
    name: 'clientOptions',
    validator: {
      validate: (value) => clientProblems(value).length === 0,
      defaultMessage: (parameters) => clientProblems(parameters?.value).join('; '),
    },
  })
  client: ClientOptions = {};
}

function clientProblems(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, given]) => {
    if (!Object.hasOwn(CLIENT_VALUES, name)) {
      return [`client.${name} is no option${suggestion(name, Object.keys(CLIENT_VALUES))}`];
    }
    const [wanted, accepts] = CLIENT_VALUES[name as keyof ClientOptions];
    if (given === undefined) return [];
    if (!accepts(given)) return [`client.${name} must be ${wanted}, but is ${shownValue(given)}`];
    return name === 'texts' ? textProblems(given as NonNullable<ClientOptions['texts']>) : [];
  });
}

/** A text under a name that nobody asks for would be missing unseen. */
function textProblems(texts: NonNullable<ClientOptions['texts']>, path = 'client.texts'): string[] {
  return Object.entries(texts).flatMap(([key, text]) => {
    if (typeof text !== 'string') return textProblems(text, `${path}.${key}`);
    return TEXT_KEYS.includes(key) ? [] : [`${path}.${key} is no text${suggestion(key, TEXT_KEYS)}`];
  });
}

/** What an application gives to `forRoot()`: any part of the options. */
export type SessionSecurityOptionsInput = Partial<SessionSecurityOptions>;
