import { Injectable, VersioningType } from '@nestjs/common';
import { type AbstractHttpAdapter, ApplicationConfig } from '@nestjs/core';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { isFastify } from './adapter-session-platform.js';
import { ExpiredAnswer } from './expired-answer.js';
import { addressOf } from './route-address.js';
import { SessionPlatform } from './session-platform.js';
import { SetupAdvisor } from './setup-advisor.js';

const NOT_FOUND = 404;

interface ExpressApplication {
  use(
    handler: (request: SessionSecurityRequest, response: ExpressResponse, next: () => void) => void,
  ): unknown;
}

interface ExpressResponse {
  readonly statusCode: number;
  once(event: 'finish', listener: () => void): unknown;
}

interface FastifyServer {
  addHook(
    name: 'onResponse',
    hook: (request: SessionSecurityRequest, reply: { readonly statusCode: number }, done: () => void) => void,
  ): unknown;
}

/**
 * Notices that people who are sent to `loginUrl` find no page there. Whether there is one cannot be known before: it may
 * be a route, a file, a template, or be served by somebody else. Nor do all who are sent there bring a way back along: an
 * application's own redirects and a sign-out have none.
 */
@Injectable()
export class SignInPageCheck {
  constructor(
    private readonly options: SessionSecurityOptions,
    private readonly applicationConfig: ApplicationConfig,
    private readonly expiredAnswer: ExpiredAnswer,
    private readonly platform: SessionPlatform,
    private readonly advisor: SetupAdvisor,
  ) {}

  open(adapter: AbstractHttpAdapter): void {
    if (this.options.loginUrl === null) return;
    if (isFastify(adapter)) this.#openOnFastify(adapter.getInstance<FastifyServer>());
    else this.#openOnExpress(adapter);
  }

  #openOnExpress(application: ExpressApplication): void {
    application.use((request, response, next) => {
      if (this.#isForSignInPage(request)) {
        const mount = this.platform.mountOf(request);
        response.once('finish', () => this.#answered(response.statusCode, mount));
      }
      next();
    });
  }

  #openOnFastify(server: FastifyServer): void {
    server.addHook('onResponse', (request, { statusCode }, done) => {
      if (this.#isForSignInPage(request)) this.#answered(statusCode, '');
      done();
    });
  }

  #isForSignInPage(request: SessionSecurityRequest): boolean {
    return request.method === 'GET' && this.expiredAnswer.isSignIn(request);
  }

  #answered(status: number, mount: string): void {
    const { loginUrl } = this.options;
    if (status === NOT_FOUND && loginUrl !== null)
      this.advisor.withoutSignInPage(loginUrl, this.#addressWithin(mount, loginUrl));
  }

  /** Where a route of that path would be; the same if it has all that routes begin with. */
  #addressWithin(mount: string, loginUrl: string): string {
    const path = loginUrl.slice(mount.length + 1);
    const root = `${mount}${addressOf(this.applicationConfig, this.#versionPath())}`;
    return loginUrl.startsWith(root) ? loginUrl : `${root}${path}`;
  }

  /** What the routes of the version begin with that they have unless they say otherwise. */
  #versionPath(): string {
    const versioning = this.applicationConfig.getVersioning();
    if (versioning?.type !== VersioningType.URI || typeof versioning.defaultVersion !== 'string') return '';
    const { prefix = 'v', defaultVersion } = versioning;
    return `${prefix === false ? '' : prefix}${defaultVersion}/`;
  }
}
