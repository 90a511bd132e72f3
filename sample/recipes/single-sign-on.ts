import { Controller, Get, Injectable, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  AllowExpired,
  OnSessionEnd,
  type SessionEndEvent,
  type SessionSecurityOptionsInput,
  SessionSecurityService,
} from 'nestjs-session-security';
import * as oidc from 'openid-client';

declare module 'express-session' {
  interface SessionData {
    user: { id: string };
    authorization: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string };
    returnTo: string;
    askAgain: boolean;
  }
}

/** Your own. */
export abstract class SingleSignOnSettings {
  /** Where browsers reach this application. */
  abstract readonly address: string;
  abstract readonly issuer: string;
  abstract readonly clientId: string;
  abstract readonly clientSecret: string;
  abstract readonly discovery?: oidc.DiscoveryRequestOptions;
}

/** For `SessionSecurityModule.forRoot()`. */
export const singleSignOnRoutes: SessionSecurityOptionsInput = {
  loginUrl: '/sign-in',
  logoutUrl: '/sign-in/out',
};

/** What is to be given back when a session ends. Several processes need a table that they share, encrypted. */
@Injectable()
export class RefreshTokens {
  readonly #bySession = new Map<string, string>();

  keep(session: string, token: string) {
    this.#bySession.set(session, token);
  }

  find(session: string) {
    return this.#bySession.get(session);
  }

  forget(session: string) {
    this.#bySession.delete(session);
  }
}

@Injectable()
export class IdentityProvider {
  #configuration: Promise<oidc.Configuration> | undefined;

  constructor(
    private readonly settings: SingleSignOnSettings,
    private readonly tokens: RefreshTokens,
  ) {}

  /** Asked for once; again if that failed. */
  configuration() {
    const { issuer, clientId, clientSecret, discovery } = this.settings;
    this.#configuration ??= oidc
      .discovery(new URL(issuer), clientId, clientSecret, undefined, discovery)
      .catch((error: unknown) => {
        this.#configuration = undefined;
        throw error;
      });
    return this.#configuration;
  }

  /** Back-channel (RFC 7009): whether or not a page is open to say that the session has ended. */
  @OnSessionEnd()
  async ended({ session }: SessionEndEvent) {
    const token = this.tokens.find(session);
    if (token === undefined) return;
    await oidc.tokenRevocation(await this.configuration(), token, { token_type_hint: 'refresh_token' });
    this.tokens.forget(session);
  }
}

/** Sent to the sign-in alone, for the provider to know whom to sign out when the session is gone. */
const HINT = 'sign-out-hint';

@AllowExpired()
@Controller('sign-in')
export class SingleSignOnController {
  constructor(
    private readonly provider: IdentityProvider,
    private readonly settings: SingleSignOnSettings,
    private readonly tokens: RefreshTokens,
    private readonly sessions: SessionSecurityService,
  ) {}

  @Get()
  async begin(@Req() request: Request, @Res() response: Response, @Query('returnTo') returnTo?: unknown) {
    if (isPathOfThisSite(returnTo)) request.session.returnTo = returnTo;
    if (this.sessions.takeNotice(request, response)) {
      // The provider would let in whoever sits there now, without a question; also if they choose to stay signed in there.
      request.session.askAgain = true;
      return this.signOut(request, response);
    }
    const configuration = await this.provider.configuration();
    const checks = {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedState: oidc.randomState(),
      expectedNonce: oidc.randomNonce(),
    };
    request.session.authorization = checks;
    const address = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#address('/sign-in/callback'),
      scope: 'openid',
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      ...(request.session.askAgain && { prompt: 'login' }),
    });
    response.redirect(address.href);
  }

  @Get('callback')
  async finish(@Req() request: Request, @Res() response: Response) {
    const { authorization: checks, returnTo = '/' } = request.session;
    if (!checks) return response.redirect('/sign-in');
    const granted = await oidc.authorizationCodeGrant(
      await this.provider.configuration(),
      new URL(this.#address(request.originalUrl)),
      { ...checks, idTokenExpected: true },
    );
    await new Promise<void>((resolve, reject) =>
      request.session.regenerate((error) => (error ? reject(error as Error) : resolve())),
    );
    request.session.user = { id: granted.claims()!.sub };
    const session = this.sessions.referenceOf(request);
    if (session && granted.refresh_token) this.tokens.keep(session, granted.refresh_token);
    response.cookie(HINT, granted.id_token, {
      path: '/sign-in',
      httpOnly: true,
      sameSite: 'lax',
      secure: request.secure,
    });
    response.redirect(returnTo);
  }

  /** Front-channel: the provider ends its own session, and sends the browser back. */
  @Get('out')
  async signOut(@Req() request: Request, @Res() response: Response) {
    await this.sessions.end(request, 'logout');
    const hint = new RegExp(`(?:^|; )${HINT}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
    response.clearCookie(HINT, { path: '/sign-in' });
    const address = oidc.buildEndSessionUrl(await this.provider.configuration(), {
      post_logout_redirect_uri: this.#address('/sign-in'),
      ...(hint !== undefined && { id_token_hint: hint }),
    });
    response.redirect(address.href);
  }

  #address(path: string) {
    return new URL(path, this.settings.address).href;
  }
}

function isPathOfThisSite(address: unknown): address is string {
  return typeof address === 'string' && /^\/(?![/\\])[!-~]*$/.test(address);
}
