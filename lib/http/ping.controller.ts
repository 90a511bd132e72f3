import {
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  Post,
  Query,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ActivityTracker } from '../activity/activity-tracker.js';
import type { SessionSecurityRequest } from '../options/index.js';
import { isCrossSite } from './cross-site.js';
import { EndNotice } from './end-notice.js';
import { ExpiredAnswer } from './expired-answer.js';
import { DescribedAs, InOpenApiDocument } from './open-api.js';
import { type ClientStart, type DraftStart, PingAnswer, type SessionStatus } from './ping-answer.js';
import { readPingBody } from './ping-body.js';
import { ProblemException, storeUnavailable } from './problem.js';
import type { ResponseHeaders, SessionSecurityResponse } from './response-headers.js';
import { OwnRoute } from './route-decorators.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';
import { SetupAdvisor } from './setup-advisor.js';

type Answer = SessionStatus & { client?: ClientStart; drafts?: DraftStart | null };

const STATUS = 'Where the session stands; durations in seconds.';

/** The ping of `docs/wire.md`, served at the `path` option. */
export function pingController(path: string, openApi = false): Type {
  @OwnRoute()
  @InOpenApiDocument(openApi)
  @Controller({ path, version: VERSION_NEUTRAL })
  class PingController {
    constructor(
      private readonly enforcer: SessionEnforcer,
      private readonly tracker: ActivityTracker,
      private readonly answer: PingAnswer,
      private readonly notice: EndNotice,
      private readonly expiredAnswer: ExpiredAnswer,
      private readonly advisor: SetupAdvisor,
      private readonly platform: SessionPlatform,
    ) {}

    @DescribedAs({
      summary: 'Asks how long the session lives; is no activity',
      query: {
        start: { type: 'string', description: 'Answer what the client script needs to start, too' },
        drafts: { type: 'string', description: 'Answer what keeping drafts needs, too' },
        language: { type: 'string', description: 'Language of the page (BCP 47)' },
      },
      answers: { 200: STATUS, 503: 'The session store does not answer' },
    })
    @Get('ping')
    async read(
      @Req() request: SessionSecurityRequest,
      @Res({ passthrough: true }) reply: SessionSecurityResponse,
      @Query('start') start?: string,
      @Query('drafts') drafts?: string,
      @Query('language') language?: unknown,
    ): Promise<Answer> {
      await this.enforcer.reconsider(request);
      const status = await this.#answer(request, this.platform.headersOf(reply));
      return {
        ...status,
        ...(start !== undefined && { client: this.answer.clientStart(request, language) }),
        ...(drafts !== undefined && { drafts: this.#draftsFor(request, status, language) }),
      };
    }

    @DescribedAs({
      summary: 'Tells activity of the user, and asks how long the session lives',
      body: {
        type: 'object',
        properties: {
          idleFor: { type: 'number', minimum: 0, description: 'Seconds since the last activity in the page' },
        },
      },
      answers: {
        200: STATUS,
        400: 'The ping cannot be understood',
        403: 'The request comes from another site',
        503: 'The session store does not answer',
      },
    })
    @Post('ping')
    @HttpCode(HttpStatus.OK)
    async ping(
      @Req() request: SessionSecurityRequest,
      @Res({ passthrough: true }) reply: SessionSecurityResponse,
    ): Promise<Answer> {
      const response = this.platform.headersOf(reply);
      this.#refuseCrossSite(request, response);
      const { idleFor } = await readPingBody(request, response);
      // The session may have ended while the body came in.
      await this.enforcer.enforce(request);
      await this.enforcer.reconsider(request);
      if (idleFor !== undefined) await this.enforcer.touch(request, idleFor * 1000);
      return this.#answer(request, response);
    }

    @DescribedAs({
      summary: 'Signs out',
      answers: { 200: 'Nobody is signed in any more', 403: 'The request comes from another site' },
    })
    @Post('end')
    @HttpCode(HttpStatus.OK)
    async end(
      @Req() request: SessionSecurityRequest,
      @Res({ passthrough: true }) reply: SessionSecurityResponse,
    ): Promise<Answer> {
      const response = this.platform.headersOf(reply);
      this.#refuseCrossSite(request, response);
      await this.enforcer.end(request, 'logout');
      this.expiredAnswer.clearSiteData(request, response);
      return { ...(await this.#answer(request, response)), state: 'anonymous', reason: null };
    }

    /** What memory knows for certain is answered also when the store fails; else the client is to ask again. */
    #answer(request: SessionSecurityRequest, response: ResponseHeaders): Promise<SessionStatus> {
      const { outcome, unreadId } = this.enforcer.stateOf(request);
      if (outcome === 'unknown' && (unreadId === undefined || !this.tracker.lives(unreadId)))
        throw storeUnavailable(response);
      // The sign-in page pings too; it says nothing about the pages behind it.
      if (outcome === 'watched') this.advisor.pinged();
      else if (outcome === 'unwatched') this.advisor.pingedAsNobody();
      response.setHeader('Cache-Control', 'no-store');
      this.notice.leave(request, response);
      return this.answer.statusOf(request);
    }

    /** For our own pages only, although no other origin could read the answer. */
    #draftsFor(
      request: SessionSecurityRequest,
      { owner }: SessionStatus,
      language: unknown,
    ): DraftStart | null {
      if (owner === null || isCrossSite(request)) return null;
      const drafts = this.answer.draftsOf(request, language);
      if (drafts) this.advisor.grantingDrafts();
      return drafts;
    }

    #refuseCrossSite(request: SessionSecurityRequest, response: ResponseHeaders): void {
      if (!isCrossSite(request)) return;
      const detail = 'This request must come from a page of this site.';
      throw new ProblemException(
        { status: 403, title: 'Cross-site request', detail, code: 'cross_site' },
        response,
      );
    }
  }
  return PingController;
}
