import { Injectable } from '@nestjs/common';
import { SessionSecurityOptions, type SessionSecurityRequest, toleranceOf } from '../options/index.js';
import { limitProblems, type Limits, NEVER, withinPreset } from '../policy/index.js';

type SessionData = Record<string, unknown>;

/** Answers from the options who is signed in on a request, and which limits are in force for them. */
@Injectable()
export class SignIn {
  constructor(private readonly options: SessionSecurityOptions) {}

  async isAuthenticated(request: SessionSecurityRequest): Promise<boolean> {
    if (this.options.isAuthenticated) return (await this.options.isAuthenticated(request)) === true;
    return signedInUser(request) !== undefined;
  }

  async identify(request: SessionSecurityRequest): Promise<string | undefined> {
    if (this.options.identify) return this.options.identify(request);
    return identityOf(signedInUser(request));
  }

  /** @throws {TypeError} if the application's `limits` function answers limits that contradict themselves. */
  async limits(request: SessionSecurityRequest): Promise<Limits> {
    const own = await this.options.limits?.(request);
    if (own === 'never') return this.#asPreset(NEVER);
    const { warnAfter, expireAfter, maxLifetime = null } = own ?? this.options;
    // Three numbers and nothing else: what is around them, secrets among the options, must not reach the store.
    const limits = { warnAfter, expireAfter, maxLifetime };
    if (own === undefined || own === null) return limits;
    const problems = limitProblems(limits);
    if (problems.length > 0)
      throw new TypeError(`SessionSecurity: the limits function answered: ${problems.join('; ')}`);
    return this.#asPreset(limits);
  }

  /** A preset's requirements hold for every user. */
  #asPreset(limits: Limits): Limits {
    const { preset } = this.options;
    return preset === undefined ? limits : withinPreset(preset, limits, toleranceOf(this.options));
  }
}

/** Where Passport and hand-written sign-ins leave the user. */
function signedInUser(request: SessionSecurityRequest): unknown {
  const session = (request.session ?? {}) as SessionData;
  const passport = session['passport'] as { user?: unknown } | undefined;
  const candidates = [request.user, session['user'], session['userId'], passport?.user];
  const user = candidates.find(
    (candidate) => candidate !== undefined && candidate !== null && candidate !== false,
  );
  return user ?? (request.isAuthenticated?.() ? true : undefined);
}

function identityOf(user: unknown): string | undefined {
  if (typeof user === 'string' || typeof user === 'number') return String(user);
  if (typeof user !== 'object' || user === null) return undefined;
  const { id, userId, username } = user as SessionData;
  const identity = id ?? userId ?? username;
  return typeof identity === 'string' || typeof identity === 'number' ? String(identity) : undefined;
}
