import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import type { AnySessionEvent } from 'nestjs-session-security';

@Injectable()
export class SessionTelemetry implements OnModuleInit, OnModuleDestroy {
  readonly #meter = metrics.getMeter('nestjs-session-security');
  readonly #events = this.#meter.createCounter('session.events', {
    description: 'What happened to sessions',
  });
  readonly #live = this.#meter.createGauge('session.live', {
    description: 'Sessions that this process watches, as of the last deadline',
  });
  readonly #lateness = this.#meter.createHistogram('session.expiry.lateness', {
    description: 'How long after its deadline an expiry was told',
    unit: 'ms',
  });
  readonly #failures = this.#meter.createCounter('session.store.failures', {
    description: 'Operations of the session store that failed',
  });

  readonly #listeners: Record<string, ChannelListener> = {
    'nestjs-session-security:event': (message) => {
      const event = message as AnySessionEvent;
      this.#events.add(1, { kind: event.kind, ...('reason' in event && { reason: event.reason }) });
      if (event.kind === 'expire') this.#lateness.record(event.lateMs);
    },
    'nestjs-session-security:deadlines': (message) =>
      this.#live.record((message as { watched: number }).watched),
    'nestjs-session-security:store-failure': () => this.#failures.add(1),
  };

  onModuleInit() {
    for (const [channel, listener] of Object.entries(this.#listeners)) subscribe(channel, listener);
  }

  onModuleDestroy() {
    for (const [channel, listener] of Object.entries(this.#listeners)) unsubscribe(channel, listener);
  }
}
