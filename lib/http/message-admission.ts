import { type CanActivate, type ExecutionContext, Injectable, type Type, UseGuards } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { ActivityTracker } from '../activity/activity-tracker.js';
import { StoreFailure } from '../activity/store-calls.js';
import { LiveConnections } from './live-connections.js';
import { RequestClassifier } from './request-classifier.js';
import type { RequestState } from './request-state.js';
import { SessionEnforcer } from './session-enforcer.js';

/** What `@WebSocketGateway()` leaves on a class; its package need not be installed. */
const GATEWAY = 'websockets:is_gateway';

/** Who admits the messages of a connection: several applications of a process may have the same gateways. */
const admissions = new WeakMap<object, MessageAdmission>();

const gatewayGuard: CanActivate = {
  canActivate(context) {
    const connection = context.switchToWs().getClient<object>();
    return admissions.get(connection)?.admit(context, connection) ?? true;
  },
};

const guardedGateways = new WeakSet<object>();

/**
 * What comes in over a connection that was opened by a watched session is heard for as long as that lives. It is
 * activity only where the handler or its gateway says so: much of it is sent by programs.
 */
@Injectable()
export class MessageAdmission {
  constructor(
    private readonly connections: LiveConnections,
    private readonly enforcer: SessionEnforcer,
    private readonly tracker: ActivityTracker,
    private readonly classifier: RequestClassifier,
    private readonly reflector: Reflector,
    discovery: DiscoveryService,
  ) {
    // While Nest has not connected the gateways yet. It is no global guard, because Nest 11 asks none about messages.
    for (const { metatype } of discovery.getProviders()) if (this.#isGateway(metatype)) guard(metatype);
  }

  /** Messages of this connection to gateways are to be admitted here. */
  attend(connection: object): void {
    admissions.set(connection, this);
  }

  /** @param connection or the request by which it was opened */
  async admit(context: ExecutionContext, connection: object): Promise<boolean> {
    const request = await this.connections.requestOf(connection);
    if (!request) return true;
    if (!this.#isAdmitted(connection, await this.enforcer.enforce(request))) return false;
    if (this.classifier.isActivity(context)) await this.enforcer.touch(request);
    return this.#isAdmitted(connection, this.enforcer.stateOf(request));
  }

  /** Connections stay open for hours, so what was found when they were opened may be of before an outage of the store. */
  #isAdmitted(connection: object, { outcome, sessionId }: RequestState): boolean {
    // Nothing more will be known of the session by the request that opened this one.
    if (outcome === 'unknown') this.connections.giveUp(connection);
    return outcome === 'watched' && sessionId !== undefined && this.#isTrusted(sessionId);
  }

  #isTrusted(sessionId: string): boolean {
    try {
      this.tracker.requireTrust(sessionId);
      return true;
    } catch (error) {
      if (error instanceof StoreFailure) return false;
      throw error;
    }
  }

  #isGateway(metatype: unknown): metatype is Type {
    return typeof metatype === 'function' && this.reflector.get<boolean>(GATEWAY, metatype as Type) === true;
  }
}

function guard(gateway: Type): void {
  if (guardedGateways.has(gateway)) return;
  guardedGateways.add(gateway);
  UseGuards(gatewayGuard)(gateway);
}
