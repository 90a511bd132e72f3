import { Injectable } from '@nestjs/common';
import { ActivityTracker } from '../activity/activity-tracker.js';

/** What `@nestjs/terminus` wants to hear of an indicator. */
export type SessionSecurityHealthResult<Key extends string> = Record<
  Key,
  { status: 'up' } | { status: 'down'; since: string; message: string }
>;

/**
 * Whether the store that processes share answers; for a health check of `@nestjs/terminus` or any other:
 *
 * ```ts
 * @HealthCheck() @Get('health') check() { return this.checks.check([() => this.sessions.isHealthy()]); }
 * ```
 *
 * @publicApi
 */
@Injectable()
export class SessionSecurityHealth {
  constructor(private readonly tracker: ActivityTracker) {}

  /** `down` from the first failure until the store answers again; never rejects, and asks nothing. */
  isHealthy<Key extends string = 'sessions'>(key = 'sessions' as Key): SessionSecurityHealthResult<Key> {
    const { outage } = this.tracker;
    const result: SessionSecurityHealthResult<string>[string] = outage
      ? { status: 'down', since: new Date(outage.since).toISOString(), message: outage.message }
      : { status: 'up' };
    return { [key]: result } as SessionSecurityHealthResult<Key>;
  }
}
