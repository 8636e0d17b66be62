// What runs of tests report, as JSON of vitest: how many tests passed, and what is to be told of those that did not.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from './setup.mjs';

/** @typedef {{ fullName: string, status: string, failureMessages: string[] }} Test */
/** @typedef {{ name: string, status: string, message: string, assertionResults: Test[] }} TestFile */
/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[], repeated: string[] }} Results */

/**
 * @param {readonly string[]} resultFiles one for each run; that of a run which came to nothing is missing
 * @returns {Results} `failures` and `repeated` (passed, but not at once) hold the name of each test and its first
 * message; a file that could not be loaded counts as a failure
 */
export function readResults(resultFiles) {
  /** @type {Results} */
  const results = { passed: 0, failed: 0, skipped: 0, failures: [], repeated: [] };
  const files = resultFiles
    .filter((path) => existsSync(path))
    .flatMap(
      (path) =>
        /** @type {{ testResults: TestFile[] }} */ (JSON.parse(readFileSync(path, 'utf8'))).testResults,
    );
  for (const file of files) {
    const path = relative(root, file.name);
    for (const { fullName, status, failureMessages } of file.assertionResults) {
      results[status === 'passed' || status === 'failed' ? status : 'skipped'] += 1;
      const [message] = failureMessages;
      const told = `${path} > ${fullName}\n    ${firstLine(message ?? 'no message')}`;
      if (status === 'failed') results.failures.push(told);
      else if (status === 'passed' && message !== undefined) results.repeated.push(told);
    }
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) {
      results.failed += 1;
      results.failures.push(`${path}\n    ${firstLine(file.message)}`);
    }
  }
  return results;
}

/** @param {string} text @returns {string} */
const firstLine = (text) => text.trimStart().split('\n', 1)[0] ?? '';
