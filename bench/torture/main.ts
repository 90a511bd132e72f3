/** `npm run bench:torture`, or some of it: `npm run bench:torture -- react-idle-timer hmrc-frontend`. */
import { launchRealisticChromium } from '../../test/support/client/chromium.js';
import { CLIENTS, installedVersion } from '../browser/benched-client.js';
import type { BenchedClient } from '../browser/benched-client.js';
import { chosenClients } from '../browser/chosen-clients.js';
import { limited } from '../browser/limited.js';
import { Results } from '../browser/results.js';
import { UnmanagedTabs } from '../browser/unmanaged-tabs.js';
import { written } from '../support/report.js';
import type { Table } from '../support/report.js';
import { verdictPlot } from './plot.js';
import { playRow } from './row.js';
import type { Outcome } from './row.js';
import { ROWS } from './rows.js';

/** Rows wait for real time more than they work; but an overloaded machine would make clients fail that do not. */
const AT_A_TIME = 3;

type Played = Record<string, Outcome>;

const clients = chosenClients(process.argv.slice(2), CLIENTS);
const browser = await launchRealisticChromium();
const tabs = await UnmanagedTabs.of(browser);
const played = new Map<BenchedClient, Played>();
const startedAt = performance.now();
for (const client of clients) {
  const outcomes: Played = {};
  played.set(client, outcomes);
  const next = limited(AT_A_TIME);
  await Promise.all(
    ROWS.map((row) =>
      next(async () => {
        const outcome = await playRow(row, client, tabs);
        outcomes[row.id] = outcome;
        const after = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
        console.error(`[${after} s] ${client.name} ${row.id}: ${outcome.verdict} ${outcome.because}`);
      }),
    ),
  );
}

const names = clients.map((client) => `${client.name} ${installedVersion(client)}`);
const verdicts: Table = {
  caption: 'P passes, F fails, – does not claim to do this',
  columns: ['row', '', ...names],
  rows: [
    ...ROWS.map(({ id, what }) => [id, what, ...clients.map((client) => played.get(client)![id]!.verdict)]),
    ['', 'passed', ...clients.map((client) => `${countOf(client, 'P')} of ${ROWS.length}`)],
  ],
};
const failures: Table = {
  caption: 'Why rows fail',
  columns: ['client', 'row', 'because'],
  rows: clients.flatMap((client) =>
    ROWS.map(({ id }) => ({ id, ...played.get(client)![id]! }))
      .filter(({ verdict }) => verdict === 'F')
      .map(({ id, because }) => [client.name, id, because]),
  ),
};
const results = new Results('torture', browser.version());
await results.write({
  markdown: written({ title: 'Torture', tables: [verdicts, failures], targets: [] }),
  json: Object.fromEntries(clients.map((client) => [client.name, played.get(client)])),
  plots: {
    torture: verdictPlot(
      ROWS.map(({ id }) => id),
      clients.map((client) => ({
        name: client.name,
        verdicts: ROWS.map(({ id }) => played.get(client)![id]!.verdict),
      })),
    ),
  },
});
await browser.close();

function countOf(client: BenchedClient, verdict: Outcome['verdict']): number {
  return ROWS.filter(({ id }) => played.get(client)![id]!.verdict === verdict).length;
}
