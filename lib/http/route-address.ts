import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';

/**
 * Where a route of the module that is asked for by GET is served within the application: behind its global prefix, if it
 * has one and does not exclude the route from it.
 */
export function addressOf(applicationConfig: ApplicationConfig, path: string): string {
  const { exclude = [] } = applicationConfig.getGlobalPrefixOptions();
  const isExcluded = exclude.some(
    ({ requestMethod, pathRegex }) => METHODS.includes(requestMethod) && pathRegex.test(`/${path}`),
  );
  const prefix = applicationConfig.getGlobalPrefix().replace(/^\/?(.+?)\/?$/, '/$1');
  return `${isExcluded ? '' : prefix}/${path}`;
}

/** What exclusions name that are meant for GET; without a method Nest writes -1. */
const METHODS: readonly number[] = [RequestMethod.GET, RequestMethod.ALL, -1];
