import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TerminusModule } from '@nestjs/terminus';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { ActivityTracker } from '../../../lib/activity/activity-tracker.js';
import { HealthController } from '../../../sample/recipes/health.js';
import { SessionTelemetry } from '../../../sample/recipes/open-telemetry.js';
import { MetricsController, SessionMetrics } from '../../../sample/recipes/prometheus.js';
import { HeldStore } from '../../support/held-store.js';
import { eventually } from '../../support/real-time.js';
import { WatchedApp } from '../../support/watched-app.js';

const A_WHILE = 20_000;

let desk: WatchedApp;
let store: HeldStore;
beforeEach(async () => {
  store = new HeldStore();
  desk = await WatchedApp.start({
    store,
    imports: [TerminusModule],
    controllers: [MetricsController, HealthController],
    providers: [SessionMetrics, SessionTelemetry],
  });
});
afterEach(() => desk.close());

/** One expires, one signs out, one is warned. */
async function day(): Promise<void> {
  await desk.signedIn('anna');
  const ben = await desk.signedIn('ben');
  await ben.post('/logout');
  await desk.clock.advance(5);
  await desk.signedIn('carla');
  await desk.clock.advance(5);
}

describe('Prometheus', () => {
  const lines = async (): Promise<string[]> =>
    (await desk.browser().get('/metrics').expect(200)).text.split('\n');

  it('counts what happens to sessions', async () => {
    await day();
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'session_events_total{kind="start",reason=""} 3',
        'session_events_total{kind="warn",reason="idle"} 2',
        'session_events_total{kind="expire",reason="idle"} 1',
        'session_events_total{kind="end",reason="idle"} 1',
        'session_events_total{kind="end",reason="logout"} 1',
        'session_expiry_lateness_seconds_count 1',
        'session_expiry_lateness_seconds_bucket{le="2"} 1',
        'sessions_live 1',
      ]),
    );
  });

  it('counts failures of the store', async () => {
    store.failOnce('set');
    await desk.signedIn();
    await eventually(
      'the failure counted',
      async () => (await lines()).includes('session_store_failures_total 1'),
      A_WHILE,
    );
  });

  it('asking for it keeps nobody signed in', async () => {
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    await browser.get('/metrics').expect(200);
    expect((await browser.state()).idleFor).toBe(6);
  });
});

describe('OpenTelemetry', () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  beforeAll(() => void metrics.setGlobalMeterProvider(provider));
  afterAll(async () => {
    await provider.shutdown();
    metrics.disable();
  });

  it('counts what happens to sessions', async () => {
    await day();
    await provider.forceFlush();
    const points = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap(({ metrics }) => metrics)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [descriptor.name, attributes, value]),
      );
    expect(points).toEqual(
      expect.arrayContaining([
        ['session.events', { kind: 'start' }, 3],
        ['session.events', { kind: 'warn', reason: 'idle' }, 2],
        ['session.events', { kind: 'expire', reason: 'idle' }, 1],
        ['session.events', { kind: 'end', reason: 'idle' }, 1],
        ['session.events', { kind: 'end', reason: 'logout' }, 1],
        ['session.expiry.lateness', {}, expect.objectContaining({ count: 1 })],
        ['session.live', {}, 1],
      ]),
    );
  });
});

describe('Terminus', () => {
  it('is told that sessions are well', async () => {
    const { body } = await desk.browser().get('/health').expect(200);
    expect(body).toMatchObject({ status: 'ok', info: { sessions: { status: 'up' } } });
  });

  it('is told since when and how the store fails', async () => {
    // As the tracker says when the store fails that processes share.
    const outage = { since: Date.UTC(2026, 0, 1), message: 'connection refused' };
    Object.defineProperty(desk.app.get(ActivityTracker), 'outage', { value: outage });
    const { body } = await desk.browser().get('/health').expect(503);
    expect(body).toMatchObject({
      status: 'error',
      error: {
        sessions: { status: 'down', since: '2026-01-01T00:00:00.000Z', message: 'connection refused' },
      },
    });
  });

  it('asking for it keeps nobody signed in', async () => {
    const browser = await desk.signedIn();
    await desk.clock.advance(6);
    await browser.get('/health').expect(200);
    expect((await browser.state()).idleFor).toBe(6);
  });
});
