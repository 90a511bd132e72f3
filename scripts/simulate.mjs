/**
 * The simulation outside of the test command: `npm run simulate -- --seeds 100000` for many stories,
 * `npm run simulate -- --seed 42 --trace` for one, line by line; `--first 3 --step 12` tells only such with tabs,
 * `--processes` those of several processes. The first broken promise ends the run.
 */
import { countOf, optionsOf } from './command-line.mjs';
import { loadSimulation } from './simulation/load.mjs';

const USAGE = `npm run simulate -- [options]
  --seeds 100000   so many stories (2000)
  --first 42       from this seed on (1)
  --step 6         only every so many seeds (1); --first 3 --step 12 tells only stories with tabs
  --processes      stories of several processes on Redis
  --seed 42        this story alone
  --trace          line by line`;
const values = optionsOf(USAGE, {
  seed: { type: 'string' },
  seeds: { type: 'string', default: '2000' },
  first: { type: 'string', default: '1' },
  step: { type: 'string', default: '1' },
  trace: { type: 'boolean', default: false },
  processes: { type: 'boolean', default: false },
});
const isOne = values.seed !== undefined;
const first = countOf(values, isOne ? 'seed' : 'first', USAGE);
const step = countOf(values, 'step', USAGE);
const count = isOne ? 1 : countOf(values, 'seeds', USAGE);

const { simulate, simulateProcesses, reportOf } = await loadSimulation();
const tell = values.processes ? simulateProcesses : simulate;
const beganAt = performance.now();

for (let told = 0; told < count; told++) {
  const seed = first + told * step;
  const outcome = await tell(seed, values.trace ? console.log : undefined);
  if (outcome.broken) {
    showProgress(told);
    console.error(`\n${reportOf(outcome)}`);
    process.exit(1);
  }
  if ((told + 1) % 100 === 0) showProgress(told + 1);
}
showProgress(count);
console.log(`\nEvery promise was kept.`);

function showProgress(done) {
  const seconds = (performance.now() - beganAt) / 1000;
  const line = `${done} of ${count} seeds, ${(done / seconds).toFixed(0)} a second`;
  process.stdout.write(process.stdout.isTTY ? `\r${line}` : `${line}\n`);
}
