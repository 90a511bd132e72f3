import { Module } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { SessionSecurityModule } from 'nestjs-session-security';

/** What the environment says is text. What is no number stops the application at boot, by name. */
export const sessionSettings = registerAs('session', () => ({
  warnAfter: Number(process.env['SESSION_WARN_AFTER'] ?? 540),
  expireAfter: Number(process.env['SESSION_EXPIRE_AFTER'] ?? 600),
}));

@Module({
  imports: [
    ConfigModule.forRoot(),
    SessionSecurityModule.forRootAsync({
      ...sessionSettings.asProvider(),
      path: 'idle', // routes are laid before a factory is called
    }),
  ],
})
export class ConfiguredModule {}
