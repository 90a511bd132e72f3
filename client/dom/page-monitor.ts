import type { MonitorOptions, MonitorPorts } from '../core/ports.js';
import { createSessionMonitor } from '../core/session-monitor.js';
import type { SessionMonitor } from '../core/session-monitor.js';
import { listenForActivity } from './activity-listeners.js';
import { fetchTransport } from './fetch-transport.js';
import { followPageLife } from './page-life.js';
import { tabChannel } from './tab-channel.js';

/**
 * The monitor on the browser's own clocks, network and channels, listening to this page.
 *
 * @param path address of the module's routes, without a slash at the end
 * @param signal ends the listening
 */
export const createPageMonitor = (
  path: string,
  options: MonitorOptions,
  signal: AbortSignal,
  page: Pick<MonitorPorts, 'watch' | 'notify'>,
): SessionMonitor => {
  const monitor = createSessionMonitor(
    {
      ...page,
      wall: Date.now,
      monotonic: () => performance.now(),
      setTimer: setTimeout,
      clearTimer: clearTimeout as (timer: unknown) => void,
      transport: fetchTransport(path),
      channel: tabChannel,
      // Plain http has no locks.
      lock: (name, work) => navigator.locks?.request(name, { ifAvailable: true }, work) ?? work(true),
      chance: Math.random,
      isVisible: () => !document.hidden,
      watch(settings, owner) {
        page.watch(settings, owner);
        listenForActivity(monitor.activity, signal, settings.events);
      },
    },
    options,
  );
  followPageLife(monitor, signal);
  return monitor;
};
