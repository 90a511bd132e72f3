import { Module } from '@nestjs/common';
import { PagesModule } from '../pages/pages.module.js';
import { WaitingRoomController } from './waiting-room.controller.js';
import { WaitingRoomService } from './waiting-room.service.js';

@Module({ imports: [PagesModule], controllers: [WaitingRoomController], providers: [WaitingRoomService] })
export class WaitingRoomModule {}
