import type { INestApplicationContext } from '@nestjs/common';
import type { AnySessionEvent } from '../events/session-event.js';
import { SessionSecurityEvents } from '../events/session-security-events.js';

/**
 * Keeps every session event of an application under test.
 *
 * @publicApi
 */
export class SessionEventRecorder {
  readonly events: AnySessionEvent[] = [];

  /** @param application an application that imports `SessionSecurityModule`. */
  constructor(application: INestApplicationContext) {
    application
      .get(SessionSecurityEvents, { strict: false })
      .all$.subscribe((event) => this.events.push(event));
  }

  /** The events of one kind, in the order in which they happened. */
  of<Kind extends AnySessionEvent['kind']>(kind: Kind): Extract<AnySessionEvent, { kind: Kind }>[] {
    return this.events.filter(
      (event): event is Extract<AnySessionEvent, { kind: Kind }> => event.kind === kind,
    );
  }
}
