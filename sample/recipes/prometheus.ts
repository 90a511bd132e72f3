import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Controller, Get, Header, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type AnySessionEvent, Passive } from 'nestjs-session-security';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

@Injectable()
export class SessionMetrics implements OnModuleInit, OnModuleDestroy {
  readonly registry = new Registry();
  readonly #registers = [this.registry];

  readonly #events = new Counter({
    name: 'session_events_total',
    help: 'What happened to sessions',
    labelNames: ['kind', 'reason'],
    registers: this.#registers,
  });
  readonly #live = new Gauge({
    name: 'sessions_live',
    help: 'Sessions that this process watches, as of the last deadline',
    registers: this.#registers,
  });
  readonly #lateness = new Histogram({
    name: 'session_expiry_lateness_seconds',
    help: 'How long after its deadline an expiry was told',
    buckets: [0.5, 1, 2, 5, 30],
    registers: this.#registers,
  });
  readonly #failures = new Counter({
    name: 'session_store_failures_total',
    help: 'Operations of the session store that failed',
    registers: this.#registers,
  });

  readonly #listeners: Record<string, ChannelListener> = {
    'nestjs-session-security:event': (message) => {
      const event = message as AnySessionEvent;
      this.#events.inc({ kind: event.kind, reason: 'reason' in event ? event.reason : '' });
      if (event.kind === 'expire') this.#lateness.observe(event.lateMs / 1000);
    },
    'nestjs-session-security:deadlines': (message) =>
      this.#live.set((message as { watched: number }).watched),
    'nestjs-session-security:store-failure': () => this.#failures.inc(),
  };

  onModuleInit() {
    for (const [channel, listener] of Object.entries(this.#listeners)) subscribe(channel, listener);
  }

  onModuleDestroy() {
    for (const [channel, listener] of Object.entries(this.#listeners)) unsubscribe(channel, listener);
  }
}

@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: SessionMetrics) {}

  @Passive()
  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  show() {
    return this.metrics.registry.metrics();
  }
}
