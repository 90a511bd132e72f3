import { Injectable } from '@nestjs/common';
import { ActivityTracker } from '../activity/activity-tracker.js';
import type { Outage } from '../activity/store-health.js';

/** What `@nestjs/terminus` wants to hear of an indicator. */
export type SessionSecurityHealthResult<Key extends string> = Record<
  Key,
  { status: 'up'; impaired?: SessionSecurityFailure[] } | ({ status: 'down' } & SessionSecurityFailure)
>;

/** Since when the store has failed, and how. */
export interface SessionSecurityFailure {
  since: string;
  message: string;
}

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

  /**
   * `down` from the first failure until the store answers again; never rejects, and asks nothing. A store that fails in
   * one of its parts serves all sessions of the others: it is `up`, and `impaired` says what is wrong.
   */
  isHealthy<Key extends string = 'sessions'>(key = 'sessions' as Key): SessionSecurityHealthResult<Key> {
    const { outage, partialOutages } = this.tracker;
    const impaired = partialOutages.length > 0 ? { impaired: partialOutages.map(shown) } : {};
    const result: SessionSecurityHealthResult<string>[string] = outage
      ? { status: 'down', ...shown(outage) }
      : { status: 'up', ...impaired };
    return { [key]: result } as SessionSecurityHealthResult<Key>;
  }
}

function shown({ since, message }: Outage): SessionSecurityFailure {
  return { since: new Date(since).toISOString(), message };
}
