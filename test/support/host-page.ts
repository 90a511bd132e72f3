import 'reflect-metadata';
import { Controller, Get, Module, Redirect, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import session from 'express-session';
import { SessionSecurityModule, SessionSecurityService } from '../../lib/index.js';

/** How the page embeds the client. */
export interface Embedding {
  readonly contentSecurityPolicy: string;
  readonly nonce?: string;
  /** The `lang` of the page; none when empty. */
  readonly language?: string;
}

/** An application with one page and nothing but the script tag in it, under a content security policy of choice. */
export async function startHostPage(
  { contentSecurityPolicy, nonce, language = 'en' }: Embedding,
  limits: { warnAfter: number; expireAfter: number },
): Promise<NestExpressApplication> {
  @Controller()
  class HostPageController {
    constructor(private readonly sessionSecurity: SessionSecurityService) {}

    @Get('sign-in')
    @Redirect('/page')
    signIn(@Req() request: Request): void {
      request.session.userId = 'reception';
    }

    @Get('page')
    page(@Req() request: Request, @Res({ passthrough: true }) response: Response): string {
      response.setHeader('Content-Security-Policy', contentSecurityPolicy);
      const tag = this.sessionSecurity.clientTag(request, nonce === undefined ? {} : { nonce });
      return pageWith(tag, request.session.userId ?? 'Nobody', language);
    }

    /** The same without the client, to compare with. */
    @Get('bare-page')
    barePage(): string {
      return pageWith('', 'Nobody');
    }
  }

  @Module({ imports: [SessionSecurityModule.forRoot(limits)], controllers: [HostPageController] })
  class HostPageModule {}

  const application = await NestFactory.create<NestExpressApplication>(HostPageModule, { logger: false });
  application.use(session({ secret: 'for tests only', resave: false, saveUninitialized: false }));
  await application.listen(0, '127.0.0.1');
  return application;
}

const pageWith = (tag: string, user: string, language = 'en') =>
  `<!doctype html><html lang="${language}"><head><title>Host</title>${tag}</head><body><main><h1>${user}</h1></main></body></html>`;
