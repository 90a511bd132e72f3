import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { EVENT_HANDLER } from './event-handler.decorators.js';
import type { AnySessionEvent } from './session-event.js';
import { SessionSecurityEvents } from './session-security-events.js';

type Handler = (event: AnySessionEvent) => unknown;

/**
 * Finds the methods decorated with `@OnSession…()` and connects them, each as a durable handler of its own. What one
 * throws or rejects, and that it never ends, disturbs no request and no other handler.
 */
@Injectable()
export class EventHandlerExplorer implements OnApplicationBootstrap {
  readonly #named = new Map<string, number>();

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
      const group = this.#groupOf(`${instance.constructor.name}.${name}`);
      this.events.durable(group, handler, [kind]);
    }
  }

  /** The name of the handler's group; providers of the same class name are told apart by their order. */
  #groupOf(name: string): string {
    const number = (this.#named.get(name) ?? 0) + 1;
    this.#named.set(name, number);
    return number === 1 ? name : `${name}#${number}`;
  }
}
