import { Controller, type MessageEvent, Req, Sse, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { Passive, SessionSecurityEvents, SessionSecurityService } from 'nestjs-session-security';
import { concatMap, filter, map, type Observable, takeUntil } from 'rxjs';
import { SignedInGuard } from '../accounts/signed-in.guard.js';
import { NotificationsService } from './notifications.service.js';

@Controller('notifications')
@UseGuards(SignedInGuard)
export class NotificationsController {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly sessionSecurity: SessionSecurityService,
    private readonly sessionEvents: SessionSecurityEvents,
  ) {}

  /** An open stream is no sign that anybody is there, and it is closed when its session ends. */
  @Passive()
  @Sse('stream')
  stream(@Req() request: Request): Observable<MessageEvent> {
    return this.notifications.news$.pipe(
      map((text) => ({ data: { text, at: Date.now() } })),
      takeUntil(this.#ended(request)),
    );
  }

  #ended(request: Request): Observable<unknown> {
    return this.sessionEvents.end$.pipe(
      concatMap(() => this.sessionSecurity.status(request)),
      filter(({ state }) => state === 'expired' || state === 'anonymous'),
    );
  }
}
