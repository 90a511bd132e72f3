import {
  Body,
  Controller,
  Get,
  HttpStatus,
  ParseIntPipe,
  Post,
  Query,
  Redirect,
  Req,
  UseGuards,
} from '@nestjs/common';
import type { Request } from 'express';
import { type LiveSession, Passive, SessionSecurityService } from 'nestjs-session-security';
import { AdministratorGuard } from '../accounts/administrator.guard.js';
import { findUser } from '../accounts/demo-users.js';
import { SignedInGuard } from '../accounts/signed-in.guard.js';
import { type Form, textIn } from '../form.js';
import { Pages } from '../pages/pages.js';
import { administrationPage } from './administration.page.js';
import { SessionLogService } from './session-log.service.js';

@Controller('administration')
@UseGuards(SignedInGuard, AdministratorGuard)
export class AdministrationController {
  constructor(
    private readonly sessionSecurity: SessionSecurityService,
    private readonly log: SessionLogService,
    private readonly pages: Pages,
  ) {}

  @Get()
  show(@Req() request: Request): string {
    return this.pages.render(request, administrationPage);
  }

  /** The live sessions, and what happened after the event of that number; asked by the page once a second. */
  @Passive()
  @Get('live')
  async live(@Query('after', ParseIntPipe) after: number) {
    return {
      sessions: (await this.sessionSecurity.list()).map(described),
      events: this.log.after(after).map(described),
    };
  }

  @Post('end-sessions')
  @Redirect('/administration', HttpStatus.SEE_OTHER)
  async endSessions(@Body() form?: Form): Promise<void> {
    await this.sessionSecurity.endAll(textIn(form, 'user'));
  }
}

/** With the name of the user, for a person to read. */
function described<Subject extends Pick<LiveSession, 'userId'>>(
  subject: Subject,
): Subject & { user: string } {
  return { ...subject, user: findUser(subject.userId)?.name ?? 'Unknown' };
}
