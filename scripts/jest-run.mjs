import { readFileSync } from 'node:fs';

/** What Node is given to run these projects of jest; how many tests passed comes into the file named by JEST_COUNT_FILE. */
export function jestArguments(projects, workers, ...files) {
  return [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    'node_modules/jest/bin/jest.js',
    ...['--reporters', 'default', '--reporters', './scripts/jest-count-reporter.mjs'],
    ...['--selectProjects', ...projects],
    ...['--maxWorkers', String(workers)],
    ...files,
  ];
}

/** What that file says; nothing passed if jest has not come so far. */
export function countsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, notRun: 0 };
  }
}
