import {
  Controller,
  Get,
  NotFoundException,
  Param,
  Query,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { SessionSecurityRequest } from '../options/index.js';
import { ClientFiles } from './client-files.js';
import { DescribedAs, InOpenApiDocument } from './open-api.js';
import type { SessionSecurityResponse } from './response-headers.js';
import { OwnRoute } from './route-decorators.js';
import { SessionPlatform } from './session-platform.js';

const A_YEAR = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'public, no-cache';

/** Serves the browser side below the `path` option; `docs/wire.md`. */
export function clientScriptController(path: string, openApi = false): Type {
  @OwnRoute()
  @InOpenApiDocument(openApi)
  @Controller({ path, version: VERSION_NEUTRAL })
  class ClientScriptController {
    constructor(
      private readonly files: ClientFiles,
      private readonly platform: SessionPlatform,
    ) {}

    @DescribedAs({
      summary: 'The client script',
      query: { v: { type: 'string', description: 'Hash of the content: may be kept for a year' } },
      answers: { 200: 'JavaScript', 304: 'Unchanged' },
    })
    @Get('client.js')
    script(
      @Req() request: SessionSecurityRequest,
      @Res() reply: SessionSecurityResponse,
      @Query('v') version?: string,
    ): void {
      this.#send('client.js', request, reply, version);
    }

    @DescribedAs({
      summary: 'A part that the client script loads when it is needed',
      query: { v: { type: 'string', description: 'Hash of the content: may be kept for a year' } },
      answers: { 200: 'JavaScript or JSON', 304: 'Unchanged' },
    })
    @Get('client/:name')
    file(
      @Param('name') name: string,
      @Req() request: SessionSecurityRequest,
      @Res() reply: SessionSecurityResponse,
      @Query('v') version?: string,
    ): void {
      this.#send(name, request, reply, version);
    }

    #send(
      name: string,
      request: SessionSecurityRequest,
      reply: SessionSecurityResponse,
      version: string | undefined,
    ): void {
      const file = this.files.find(name);
      if (!file) throw new NotFoundException();
      // Caches that browsers share may keep this answer with all its headers, and hand one user's cookie to another.
      this.platform.letGo(request);
      const response = this.platform.headersOf(reply);
      response.removeHeader('Set-Cookie');
      const tag = `"${file.hash}"`;
      response.setHeader('ETag', tag);
      response.setHeader('Cache-Control', version === file.hash ? A_YEAR : ASK_AGAIN);
      response.setHeader('Content-Type', file.type);
      response.setHeader('X-Content-Type-Options', 'nosniff');
      const unchanged = request.headers['if-none-match'] === tag;
      this.platform.finish(reply, unchanged ? 304 : 200, unchanged ? undefined : file.content);
    }
  }
  return ClientScriptController;
}
