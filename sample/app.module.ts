import { type DynamicModule, Module } from '@nestjs/common';
import { SessionSecurityModule } from 'nestjs-session-security';
import { AccountsModule } from './accounts/accounts.module.js';
import { findUser, limitsOf } from './accounts/demo-users.js';
import { userIdOf } from './accounts/session-user.js';
import { AdministrationModule } from './administration/administration.module.js';
import { SESSION_COOKIE } from './session-cookie.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { PatientsModule } from './patients/patients.module.js';
import type { SampleSettings } from './settings.js';
import type { SharedSessions } from './shared-sessions.js';
import { WaitingRoomModule } from './waiting-room/waiting-room.module.js';

@Module({})
export class AppModule {
  static with(settings: SampleSettings, shared?: SharedSessions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SessionSecurityModule.forRoot({
          ...settings.limits,
          limits: (request) => {
            const user = findUser(userIdOf(request));
            return user && limitsOf(user, settings.limits);
          },
          loginUrl: '/sign-in',
          cookieName: SESSION_COOKIE,
          ...(shared && { store: shared.activity, secret: shared.secret }),
        }),
        AccountsModule.with(settings),
        PatientsModule,
        WaitingRoomModule,
        NotificationsModule,
        AdministrationModule,
      ],
    };
  }
}
