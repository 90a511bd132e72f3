/** `npm run bench:client`, or some of it: `npm run bench:client -- react-idle-timer`. */
import { launchRealisticChromium } from '../../test/support/client/chromium.js';
import { CLIENTS, installedVersion, OURS } from '../browser/benched-client.js';
import { chosenClients } from '../browser/chosen-clients.js';
import { Results } from '../browser/results.js';
import { written } from '../support/report.js';
import type { Table } from '../support/report.js';
import { afterSleep } from './after-sleep.js';
import { backButton } from './back-button.js';
import { lostPing } from './lost-ping.js';
import { BenchBrowser } from './measurement.js';
import type { Finding, Measurement } from './measurement.js';
import { otherTabs } from './other-tabs.js';
import { pings } from './pings.js';
import { barPlot } from './plot.js';
import { pointerMoves } from './pointer-moves.js';
import { sizes } from './size.js';

const MEASUREMENTS: readonly Measurement[] = [
  ...sizes,
  pointerMoves,
  pings,
  otherTabs,
  afterSleep,
  lostPing,
  backButton,
];

const clients = chosenClients(process.argv.slice(2), CLIENTS);
const browser = await launchRealisticChromium();
const benchBrowser = await BenchBrowser.on(browser);
const found = new Map<Measurement, readonly Finding[]>();
const startedAt = performance.now();
// One at a time: nothing else is to disturb what is timed.
for (const measurement of MEASUREMENTS) {
  const findings: Finding[] = [];
  for (const client of clients) {
    const finding = await measurement.measure(client, benchBrowser);
    findings.push(finding);
    const after = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    console.error(`[${after} s] ${measurement.name}, ${client.name}: ${finding.text}`);
  }
  found.set(measurement, findings);
}

const comparison: Table = {
  caption: 'Side by side in one run',
  columns: ['', ...clients.map((client) => `${client.name} ${installedVersion(client)}`)],
  rows: MEASUREMENTS.map((measurement) => [
    measurement.name,
    ...found.get(measurement)!.map(({ text }) => text),
  ]),
};
const meanings: Table = {
  caption: 'What was measured',
  columns: ['', ''],
  rows: MEASUREMENTS.map(({ name, what }) => [name, what]),
};
const names = clients.map(({ name }) => name);
await new Results('client', browser.version()).write({
  markdown: written({ title: 'Client', tables: [comparison, meanings], targets: [] }),
  json: Object.fromEntries(
    MEASUREMENTS.map((measurement) => [
      measurement.name,
      Object.fromEntries(names.map((name, index) => [name, found.get(measurement)![index]])),
    ]),
  ),
  plots: {
    client: barPlot(
      MEASUREMENTS.filter(({ unit }) => unit !== undefined).map((measurement) => ({
        title: `${measurement.name} (${measurement.unit})`,
        bars: found.get(measurement)!.map(({ value, text }, index) => ({
          name: names[index]!,
          value,
          text,
          ours: names[index] === OURS.name,
        })),
      })),
    ),
  },
});
await browser.close();
