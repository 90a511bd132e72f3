import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { Passive } from 'nestjs-session-security';
import { SignedInGuard } from '../accounts/signed-in.guard.js';
import { Pages } from '../pages/pages.js';
import { waitingRoomPage } from './waiting-room.page.js';
import { type WaitingPatient, WaitingRoomService } from './waiting-room.service.js';

@Controller('waiting-room')
@UseGuards(SignedInGuard)
export class WaitingRoomController {
  constructor(
    private readonly waitingRoom: WaitingRoomService,
    private readonly pages: Pages,
  ) {}

  @Get()
  show(@Req() request: Request): string {
    return this.pages.render(request, waitingRoomPage(this.waitingRoom.queue()));
  }

  /** The page asks by itself, so this is no sign that anybody is there. */
  @Passive()
  @Get('queue')
  queue(): WaitingPatient[] {
    return this.waitingRoom.queue();
  }
}
