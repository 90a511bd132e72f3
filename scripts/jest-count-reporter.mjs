import { writeFileSync } from 'node:fs';

/** Writes how many tests passed, failed and did not run to the file named by JEST_COUNT_FILE. */
export default class JestCountReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A file that cannot even be loaded holds failed tests, however many.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      notRun: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.JEST_COUNT_FILE, JSON.stringify(counts));
  }
}
