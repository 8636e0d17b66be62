// One run of some test files in a scratch copy, and what it says about the mutant that is planted there.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a run came to: no test failed; a test failed, which is named; a file could not be loaded, so that nothing is
 * known; or the time was over.
 * @typedef {{ kind: 'green' } | { kind: 'caught', test: string, file: string } | { kind: 'broken', reason: string }
 *   | { kind: 'late' }} Verdict
 */
/**
 * @typedef {object} SuiteRun
 * @property {string} directory the scratch copy
 * @property {readonly string[]} files test files, as vitest filters them
 * @property {string} [titles] only tests whose title matches
 * @property {boolean} [isolate] a module registry for each file; true unless said otherwise
 * @property {number} budgetMs
 */
/** @typedef {{ status: string, fullName: string }} Assertion */
/** @typedef {{ name: string, status: string, message: string, assertionResults: Assertion[] }} TestFile */

/** Runs of vitest, one at a time; `stop` ends the one under way. */
export class SuiteRunner {
  /** @type {(() => void) | undefined} */
  #kill;
  stopped = false;

  stop() {
    this.stopped = true;
    this.#kill?.();
  }

  /** @param {SuiteRun} run @returns {Promise<Verdict>} */
  async run({ directory, files, titles, isolate = true, budgetMs }) {
    const result = join(directory, 'mutant-result.json');
    rmSync(result, { force: true });
    const args = [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--bail=1',
      '--reporter=json',
      `--outputFile.json=${result}`,
      ...(isolate ? [] : ['--no-isolate', '--maxWorkers=1']),
      ...(titles === undefined ? [] : ['--testNamePattern', titles]),
      ...files,
    ];
    const ended = await this.#spawn(directory, args, budgetMs);
    if (ended === 'late') return { kind: 'late' };
    if (this.stopped) return { kind: 'broken', reason: 'interrupted' };
    return verdict(directory, result, ended);
  }

  /**
   * @param {string} directory
   * @param {readonly string[]} args
   * @param {number} budgetMs
   * @returns {Promise<number | 'late'>} the exit code
   */
  async #spawn(directory, args, budgetMs) {
    // A process group of its own, so that the workers of a test that hangs end with it.
    const child = spawn(process.execPath, args, { cwd: directory, detached: true, stdio: 'ignore' });
    const kill = () => {
      if (child.pid === undefined || child.exitCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    };
    this.#kill = kill;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, budgetMs);
    try {
      /** @type {Promise<number>} */
      const ended = new Promise((resolve, reject) => {
        child.once('error', reject).once('close', (exitCode) => resolve(exitCode ?? 1));
      });
      const code = await ended;
      return late ? 'late' : code;
    } finally {
      clearTimeout(timer);
      this.#kill = undefined;
    }
  }
}

/**
 * @param {string} directory
 * @param {string} result
 * @param {number} code
 * @returns {Verdict}
 */
function verdict(directory, result, code) {
  if (!existsSync(result)) return { kind: 'broken', reason: `vitest ended with ${code} and no result` };
  const { testResults } = /** @type {{ testResults: TestFile[] }} */ (
    JSON.parse(readFileSync(result, 'utf8'))
  );
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed');
    if (failed !== undefined) {
      return { kind: 'caught', test: failed.fullName, file: name.slice(directory.length + 1) };
    }
  }
  const unloaded = testResults.find((file) => file.status === 'failed');
  if (unloaded !== undefined) return { kind: 'broken', reason: unloaded.message };
  const passed = testResults.some((file) => file.assertionResults.some((test) => test.status === 'passed'));
  if (!passed) return { kind: 'broken', reason: 'no test ran' };
  return code === 0 ? { kind: 'green' } : { kind: 'broken', reason: 'an error outside of any test' };
}
