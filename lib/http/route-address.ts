import type { ApplicationConfig } from '@nestjs/core';

/** Where a route path of the module is served within the application: behind its global prefix, if it has one. */
export function addressOf(applicationConfig: ApplicationConfig, path: string): string {
  const prefix = applicationConfig.getGlobalPrefix().replace(/^\/?(.+?)\/?$/, '/$1');
  return `${prefix}/${path}`;
}
