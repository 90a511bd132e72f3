import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { EVENT_HANDLER } from './event-handler.decorators.js';
import type { AnySessionEvent } from './session-event.js';
import { SessionSecurityEvents } from './session-security-events.js';

type Handler = (event: AnySessionEvent) => unknown;

/**
 * Finds the methods decorated with `@OnSession…()` and connects them. Each call stands alone: what throws, rejects or
 * never ends is logged and disturbs no request and no other handler.
 */
@Injectable()
export class EventHandlerExplorer implements OnApplicationBootstrap {
  readonly #logger = new Logger('SessionSecurity');

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly events: SessionSecurityEvents,
  ) {}

  onApplicationBootstrap(): void {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    for (const { instance } of wrappers) {
      if (typeof instance !== 'object' || instance === null) continue;
      this.#connect(instance as Record<string, unknown>);
    }
  }

  #connect(instance: Record<string, unknown>): void {
    for (const name of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object)) {
      const method = instance[name];
      if (typeof method !== 'function') continue;
      const kind = this.reflector.get<AnySessionEvent['kind'] | undefined>(EVENT_HANDLER, method);
      if (!kind) continue;
      const handler = method.bind(instance) as Handler;
      const handlerName = `${instance.constructor.name}.${name}`;
      this.events.all$.subscribe((event) => {
        if (event.kind === kind) void this.#call(handler, handlerName, event);
      });
    }
  }

  async #call(handler: Handler, name: string, event: AnySessionEvent): Promise<void> {
    try {
      await handler(event);
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#logger.error(`${name} failed on a session's ${event.kind} event ${event.id}: ${message}`);
    }
  }
}
