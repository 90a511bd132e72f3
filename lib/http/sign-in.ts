import { Injectable } from '@nestjs/common';
import { SessionSecurityOptions, type SessionSecurityRequest, toleranceOf } from '../options/index.js';
import { limitProblems, type Limits, NEVER, shownValue, withinPreset } from '../policy/index.js';
import { SetupAdvisor } from './setup-advisor.js';

type SessionData = Record<string, unknown>;

/** Who is signed in on a request, by an id if one is known; `null`: nobody. */
export type SignedIn = { readonly userId: string | undefined } | null;

/** Answers from the options who is signed in on a request, and which limits are in force for them. */
@Injectable()
export class SignIn {
  constructor(
    private readonly options: SessionSecurityOptions,
    private readonly advisor: SetupAdvisor,
  ) {}

  /** Who is signed in: at once, unless a function of the application makes a promise of it. */
  ask(request: SessionSecurityRequest): SignedIn | Promise<SignedIn> {
    const { isAuthenticated } = this.options;
    const authenticated = isAuthenticated
      ? named('isAuthenticated', () => isAuthenticated(request))
      : signedInUser(request) !== undefined;
    return isPromise(authenticated)
      ? Promise.resolve(authenticated).then((answer) => this.#identify(request, answer))
      : this.#identify(request, authenticated);
  }

  #identify(request: SessionSecurityRequest, authenticated: boolean): SignedIn | Promise<SignedIn> {
    // What an application answers instead of a boolean, the user say, means the same: else nobody would be watched.
    if (!authenticated) return null;
    const { identify } = this.options;
    const userId = identify ? named('identify', () => identify(request)) : identityOf(signedInUser(request));
    return isPromise(userId)
      ? Promise.resolve(userId).then((answer) => ({ userId: idIn(answer) }))
      : { userId: idIn(userId) };
  }

  /** @throws {TypeError} if the application's `limits` function answers limits that contradict themselves. */
  async limits(request: SessionSecurityRequest): Promise<Limits> {
    const { limits: ask } = this.options;
    const own = ask && (await named('limits', () => ask(request)));
    if (own === 'never') return this.#asPreset(NEVER);
    const { warnAfter, expireAfter, maxLifetime = null } = own ?? this.options;
    // Three numbers and nothing else: what is around them, secrets among the options, must not reach the store.
    const limits = { warnAfter, expireAfter, maxLifetime };
    if (own === undefined || own === null) return limits;
    const problems = limitProblems(limits);
    if (problems.length > 0) throw new TypeError(`the limits function answered: ${problems.join('; ')}`);
    return this.#asPreset(limits);
  }

  /** A preset's requirements hold for every user; its recommendations may be left. */
  #asPreset(asked: Limits): Limits {
    const { preset } = this.options;
    if (preset === undefined) return asked;
    const inForce = withinPreset(preset, asked, toleranceOf(this.options));
    this.advisor.limitsByRequest(preset, asked, inForce);
    return inForce;
  }
}

/** Where Passport and hand-written sign-ins leave the user. */
function signedInUser(request: SessionSecurityRequest): unknown {
  if (isSomebody(request.user)) return request.user;
  const session = (request.session ?? {}) as SessionData;
  if (isSomebody(session['user'])) return session['user'];
  if (isSomebody(session['userId'])) return session['userId'];
  const passport = session['passport'] as { user?: unknown } | undefined;
  if (passport && isSomebody(passport.user)) return passport.user;
  return request.isAuthenticated?.() ? true : undefined;
}

/** An empty text is what applications leave behind when they sign somebody out; a number may be an id, also 0. */
function isSomebody<User>(user: User | undefined | null | false | ''): user is User {
  return user !== undefined && user !== null && user !== false && user !== '';
}

/** Asks a function of the application. What it throws or rejects does not say by itself whose it is. */
function named<Answer>(
  name: 'isAuthenticated' | 'identify' | 'limits',
  ask: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const failed = (error: unknown): never => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${name} function failed: ${message}`, { cause: error });
  };
  try {
    const answer = ask();
    return isPromise(answer) ? Promise.resolve(answer).catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as Partial<PromiseLike<Value>> | undefined | null)?.then === 'function';
}

function identityOf(user: unknown): string | undefined {
  if (typeof user === 'string' || typeof user === 'number') return String(user);
  if (typeof user !== 'object' || user === null) return undefined;
  const { id, userId, username } = user as SessionData;
  const identity = id ?? userId ?? username;
  return typeof identity === 'object' ? undefined : idIn(identity);
}

/**
 * The text of an id; databases give numbers too, and an application need not turn them into texts.
 *
 * @throws {TypeError} if it is no id at all.
 */
function idIn(value: unknown): string | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new TypeError(`the identify function must answer a text, but answered ${shownValue(value)}`);
}
