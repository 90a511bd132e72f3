import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { SessionSecurityOptionsInput } from './options/index.js';

/**
 * What must be known before the options are: routes are laid when modules are scanned. `forRoot()` takes it from the
 * options; `forRootAsync()` is given it beside the factory when it is not the default.
 */
export interface SessionSecurityRouteOptions {
  /** See `SessionSecurityOptions.path`. */
  path?: string;
  /** See `SessionSecurityOptions.ping`. */
  ping?: boolean;
  /** See `SessionSecurityOptions.openApi`. */
  openApi?: boolean;
}

export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: GIVEN_OPTIONS,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SessionSecurityOptionsInput>({ moduleName: 'SessionSecurity' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionSecurityOptions')
  .build();

/** Token of the routes that were laid. */
export const ROUTES = Symbol('SESSION_SECURITY_ROUTES');
