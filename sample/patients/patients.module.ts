import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { PagesModule } from '../pages/pages.module.js';
import { PatientsController } from './patients.controller.js';
import { PatientsService } from './patients.service.js';

@Module({
  imports: [NotificationsModule, PagesModule],
  controllers: [PatientsController],
  providers: [PatientsService],
})
export class PatientsModule {}
