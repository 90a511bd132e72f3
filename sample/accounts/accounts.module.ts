import { type DynamicModule, Module } from '@nestjs/common';
import type { SampleSettings } from '../settings.js';
import { SAMPLE_SETTINGS, SignInController } from './sign-in.controller.js';

@Module({})
export class AccountsModule {
  static with(settings: SampleSettings): DynamicModule {
    return {
      module: AccountsModule,
      controllers: [SignInController],
      providers: [{ provide: SAMPLE_SETTINGS, useValue: settings }],
    };
  }
}
