import { Controller, type MessageEvent, Req, Sse, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { Passive, SessionSecurityService } from 'nestjs-session-security';
import { map, type Observable } from 'rxjs';
import { SignedInGuard } from '../accounts/signed-in.guard.js';
import { NotificationsService } from './notifications.service.js';

@Controller('notifications')
@UseGuards(SignedInGuard)
export class NotificationsController {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly sessionSecurity: SessionSecurityService,
  ) {}

  /** An open stream is no sign that anybody is there, and it is closed when its session ends. */
  @Passive()
  @Sse('stream')
  stream(@Req() request: Request): Observable<MessageEvent> {
    return this.notifications.news$.pipe(
      map((text) => ({ data: { text, at: Date.now() } })),
      this.sessionSecurity.whileSessionLives(request),
    );
  }
}
