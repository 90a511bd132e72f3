import { Module } from '@nestjs/common';
import { PagesModule } from '../pages/pages.module.js';
import { AdministrationController } from './administration.controller.js';
import { SessionLogService } from './session-log.service.js';

@Module({
  imports: [PagesModule],
  controllers: [AdministrationController],
  providers: [SessionLogService],
})
export class AdministrationModule {}
